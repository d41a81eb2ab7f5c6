#!/bin/sh
# Compiles a file so that valgrind also reports divisions of secrets, whose time depends on their operands: before each
# division instruction goes a conditional jump for each of its operands, which leads to the same place either way. (A
# division leaves the flags undefined, so nobody misses them.) Usage, as CMake's compiler launcher: guard_divisions.sh [ccache] COMPILER ARGUMENT...
set -eu

compiler=$1
case $compiler in */ccache) compiler=$2 ;; esac

# The same command, but to assembler: -c becomes -S, and the output gets another name.
object=
previous=
for argument in "$@"; do
    shift
    if [ "$previous" = -o ]; then
        object=$argument
        argument=$object.s
    elif [ "$argument" = -c ]; then
        argument=-S
    fi
    previous=$argument
    set -- "$@" "$argument"
done
"$@"

# Rules for sed. The divisor is the operand; the dividend is in ax, dx:ax, edx:eax or rdx:rax. The jump asks for a
# checksum, because memcheck calls that undefined as soon as one bit of the operand is; of a comparison with the operand
# itself it often knows the answer. r11 is lent for that.
rule() { # rule SUFFIX MOVE_OF_DIVISOR R11 MOVE_OF_DIVIDEND...
    suffix=$1 move="$2 \\2" r11=$3
    shift 3
    guards=
    for move in "$move" "$@"; do
        guards="${guards}movq %r11, aios_guarded_r11(%rip)\\n\\t$move, $r11\\n\\tcrc32q %r11, %r11\\n\\ttestq %r11, %r11\\n\\t"
        guards="${guards}je 77f\\n\\tnop\\n77:\\tmovq aios_guarded_r11(%rip), %r11\\n\\t"
    done
    printf '%s\n' "s/^\\t(i?div)$suffix\\t([^#]*).*/\\t$guards\\1$suffix \\2/"
}
{
    rule b movzbl %r11d 'movzwl %ax'
    rule w movzwl %r11d 'movzwl %ax' 'movzwl %dx'
    rule l movl %r11d 'movl %eax' 'movl %edx'
    rule q movq %r11 'movq %rax' 'movq %rdx'
} >"$object.sed"
sed -E -f "$object.sed" "$object.s" >"$object.guarded.s"
"$compiler" -c -o "$object" "$object.guarded.s"
rm -f "$object.sed" "$object.s" "$object.guarded.s"
