# What a shell does with processes: commands, subshells, jobs in the background, statuses, signals.
set -e
/bin/busybox true
! /bin/busybox false
(exit 3) || [ $? = 3 ]
/bin/busybox sleep 0.05 &
first=$!
/bin/busybox sleep 5 &
second=$!
wait $first
kill $second
wait $second || [ $? = 143 ]
kill -0 $second 2>/dev/null && exit 1
/bin/busybox timeout 0.1 /bin/busybox sleep 5 || [ $? = 143 ]
/bin/busybox xargs -n 1 /bin/busybox echo < /etc/busybox/numbers.txt > /tmp/forks.out
/bin/busybox cmp /tmp/forks.out /etc/busybox/numbers.txt
trap 'exit 7' TERM
/bin/busybox kill -TERM $$
exit 1
