# What programs read in /proc, /sys and /dev: processes, descriptors, standard streams.
set -e
b=/bin/busybox
$b sleep 20 &
sleeper=$!
until $b tr '\0' ' ' < /proc/$sleeper/cmdline | $b grep -q 'busybox sleep 20'; do :; done
$b ps -o pid,args > /tmp/generated.out
$b grep -q "^ *$sleeper .*sleep 20" /tmp/generated.out
$b grep -q "^ *$$ " /tmp/generated.out
$b ps -o pid,stat,comm | $b grep -q "^ *$sleeper S"
kill -STOP $sleeper
until $b grep -q 'State:.T' /proc/$sleeper/status; do :; done
kill $sleeper
kill -CONT $sleeper
wait $sleeper || [ $? = 143 ]
[ ! -e /proc/$sleeper ]
# As bash does for <(...): descriptors by name.
$b diff /dev/fd/3 /dev/fd/4 3< /etc/busybox/sorted.txt 4< /etc/busybox/sorted.txt
! $b diff /dev/fd/3 /dev/fd/4 3< /etc/busybox/sorted.txt 4< /etc/busybox/sample.txt > /dev/null
$b cat /etc/busybox/numbers.txt | $b cmp /dev/stdin /etc/busybox/numbers.txt
echo to a name > /dev/stdout | $b grep -q 'to a name'
(echo to an error >&2) 2>&1 | $b grep -q 'to an error'
$b ls -l /proc/self/fd 3< /etc/busybox/sample.txt | $b grep -q ' 3 -> /etc/busybox/sample.txt'
cd /tmp && [ "$($b readlink /proc/self/cwd)" = /tmp ]
[ "$($b nproc)" = "$($b grep -c '^processor' /proc/cpuinfo)" ]
echo shared > /dev/shm/words && [ "$($b cat /dev/shm/words)" = shared ] && $b rm /dev/shm/words
exit 0
