#!/bin/sh
# Boots the UEFI loader under OVMF with good and bad files, and checks what it says and how the machine ends.
# Usage: loader.sh BUILD_DIR [PATTERN]   BUILD_DIR: build/debug or build/release, with the target uefi-scenario built;
#                                        PATTERN: only cases whose name matches this shell pattern.
# Prints a line "TEST name pass|fail|skip reason" for each case; status 1 if one failed. Needs QEMU, OVMF and mtools.
set -u
build=${1:?usage: loader.sh BUILD_DIR [PATTERN]}
pattern=${2:-*}
qemu=${AIOS_QEMU:-qemu-system-x86_64}
code=/usr/share/OVMF/OVMF_CODE_4M.fd
variables=/usr/share/OVMF/OVMF_VARS_4M.fd
loader=$build/boot/BOOTX64.EFI
stand_in=$build/tests/scenario/stand_in_kernel.elf
large=$build/tests/scenario/stand_in_kernel_large.elf
limit=120 # seconds for one boot; it takes four on an idle machine
failed=0

for needed in "$qemu" mformat mcopy mmd timeout; do
    command -v "$needed" >/dev/null || { echo "TEST uefi_loader skip $needed is not installed"; exit 0; }
done
[ -r "$code" ] && [ -r "$variables" ] || { echo "TEST uefi_loader skip the package ovmf is not installed"; exit 0; }
for needed in "$loader" "$stand_in" "$large"; do
    [ -r "$needed" ] || { echo "TEST uefi_loader fail $needed was not built"; exit 1; }
done

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
export MTOOLS_SKIP_CHECK=1

# little_endian VALUE BYTES: the number as bytes.
little_endian() {
    value=$1 count=$2 escapes=
    while [ "$count" -gt 0 ]; do
        escapes="$escapes\\$(printf %03o $((value & 255)))"
        value=$((value >> 8)) count=$((count - 1))
    done
    printf "$escapes"
}

zeros() { head -c "$1" /dev/zero; }

# section MANIFEST_PAGE LEAVES_PAGE DATA_PAGE DATA_PAGES
section() {
    little_endian $(($1 * 4096)) 8; little_endian 5 8; zeros 32
    little_endian $(($2 * 4096)) 8; little_endian $(($3 * 4096)) 8; little_endian "$4" 8
}

# container MAGIC DATA_PAGES: a container (boot/container.hpp) with that many data pages of zeros, one page of leaves for
# each 128 of them, and an empty job section.
container() {
    leaves=$((($2 + 127) / 128)) total=$(((2 + leaves + $2) * 4096))
    { printf %s "$1"; little_endian 1 4; little_endian 2 4; little_endian $total 8; section 1 2 $((2 + leaves)) "$2"; zeros 72; } \
        >"$work/container"
    truncate -s $total "$work/container"
}

# disk KERNEL CONTAINER COMMAND_LINE: the image; an empty name leaves that file out.
disk() {
    size=$((48 + $(du -m --apparent-size "$work/container" | cut -f1)))
    rm -f "$work/disk" && truncate -s ${size}M "$work/disk" &&
        mformat -i "$work/disk" -c 64 -v AIOS :: && mmd -i "$work/disk" ::/EFI ::/EFI/BOOT ::/AIOS &&
        mcopy -i "$work/disk" "$loader" ::/EFI/BOOT/BOOTX64.EFI || exit 1
    if [ -n "$1" ]; then mcopy -i "$work/disk" "$1" ::/AIOS/KERNEL.ELF || exit 1; fi
    if [ -n "$2" ]; then mcopy -i "$work/disk" "$2" ::/AIOS/AIOS.BND || exit 1; fi
    if [ -n "$3" ]; then mcopy -i "$work/disk" "$3" ::/AIOS/CMDLINE.TXT || exit 1; fi
}

wanted() { case "$1" in $pattern) return 0 ;; *) return 1 ;; esac; }

# boot NAME STATUS SENTENCE [QEMU ARGUMENTS]: boots the disk; QEMU must end with STATUS, and the console must hold SENTENCE.
boot() {
    name=uefi_loader_$1 status=$2 sentence=$3
    shift 3
    cp "$variables" "$work/variables"
    timeout $limit "$qemu" -M q35 -accel tcg -cpu max -m 256 -nodefaults -display none -no-reboot \
        -serial "file:$work/console" \
        -drive if=pflash,format=raw,unit=0,readonly=on,file="$code" -drive if=pflash,format=raw,unit=1,file="$work/variables" \
        -drive file="$work/disk",format=raw,if=none,id=d0 -device virtio-blk-pci,drive=d0,bootindex=0 \
        -device isa-debug-exit,iobase=0xf4,iosize=4 "$@" </dev/null >"$work/qemu" 2>&1
    ended=$?
    if [ $ended -eq "$status" ] && grep -aqF "$sentence" "$work/console"; then
        echo "TEST $name pass"
    else
        echo "TEST $name fail status $ended (expected $status), expected on the console: $sentence"
        grep -aE 'aios-loader|stand-in' "$work/console"
        cat "$work/qemu"
        failed=1
    fi
}

powered_off=0
all_well=33
container AIOSBND1 300
printf 'seed=7 loglevel=3\r\n' >"$work/line"
printf 'seed=7\001' >"$work/bad_line"
head -c 4096 /dev/zero | tr '\0' x >"$work/long_line"
head -c 8192 "$stand_in" >"$work/cut_kernel"
zeros 8192 >"$work/no_kernel"

if wanted start; then
    disk "$stand_in" "$work/container" "$work/line"
    boot start $all_well 'command line [seed=7 loglevel=3]'
fi
if wanted start_at_link_base; then
    disk "$stand_in" "$work/container" ''
    boot start_at_link_base $all_well 'kernel at 0x0000000000200000' -machine smm=off -smp 2
fi
if wanted start_elsewhere; then
    # Larger than the gap that OVMF leaves below 8 MiB, more memory than 32 bits count, no 1 GiB pages, no RDRAND.
    disk "$large" "$work/container" ''
    boot start_elsewhere $all_well 'seed bytes 0x0000000000000000' -m 5120 -cpu qemu64
    grep -aqF 'kernel at 0x0000000000200000' "$work/console" && { echo 'TEST uefi_loader_moved fail'; failed=1; }
fi
if wanted no_kernel; then
    disk '' "$work/container" ''
    boot no_kernel $powered_off 'aios-loader: \AIOS\KERNEL.ELF: there is no such file on the boot volume'
fi
if wanted cut_kernel; then
    disk "$work/cut_kernel" "$work/container" ''
    boot cut_kernel $powered_off 'aios-loader: \AIOS\KERNEL.ELF: the file ends before its ELF headers and segments do'
fi
if wanted other_kernel; then
    disk "$work/no_kernel" "$work/container" ''
    boot other_kernel $powered_off 'aios-loader: \AIOS\KERNEL.ELF: is not a well-formed kernel image'
fi
if wanted folder_as_kernel; then
    disk '' "$work/container" ''
    mmd -i "$work/disk" ::/AIOS/KERNEL.ELF
    boot folder_as_kernel $powered_off 'aios-loader: \AIOS\KERNEL.ELF: is a folder, not a file'
fi
if wanted no_container; then
    disk "$stand_in" '' ''
    boot no_container $powered_off 'aios-loader: \AIOS\AIOS.BND: there is no such file on the boot volume'
fi
if wanted bad_line; then
    disk "$stand_in" "$work/container" "$work/bad_line"
    boot bad_line $powered_off 'aios-loader: \AIOS\CMDLINE.TXT: is not one line of printable ASCII'
fi
if wanted long_line; then
    disk "$stand_in" "$work/container" "$work/long_line"
    boot long_line $powered_off 'aios-loader: \AIOS\CMDLINE.TXT: is longer than 4095 bytes'
fi
if wanted cut_container; then
    head -c 100000 "$work/container" >"$work/cut_container"
    disk "$stand_in" "$work/cut_container" ''
    boot cut_container $powered_off 'aios-loader: \AIOS\AIOS.BND: the file ends before its header says'
fi
if wanted bad_container; then
    container AIOSBND0 10
    disk "$stand_in" "$work/container" ''
    boot bad_container $powered_off 'aios-loader: \AIOS\AIOS.BND: is not a well-formed container'
fi
if wanted large_container; then
    container AIOSBND1 38400 # 150 MiB
    disk "$stand_in" "$work/container" ''
    boot large_container $all_well 'stand-in: container 0x000000000972e000'
fi
if wanted too_large_container; then
    container AIOSBND1 76800 # 300 MiB in a machine of 256
    disk "$stand_in" "$work/container" ''
    boot too_large_container $powered_off 'aios-loader: \AIOS\AIOS.BND: does not fit into the memory below 4 GiB'
fi
exit $failed
