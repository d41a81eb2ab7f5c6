# Builtins alone: there is no fork.
set -e
total=0
for i in 1 2 3 4 5; do
    total=$((total + i * i))
done
[ "$total" = 55 ]
cd /tmp
echo "line one" > from_shell
echo "line two" >> from_shell
read -r first < from_shell
[ "$first" = "line one" ]
while read -r line; do last=$line; done < from_shell
[ "$last" = "line two" ]
case $PWD in /tmp) ;; *) exit 3 ;; esac
test -f from_shell
test ! -e /tmp/nothing
trap 'caught=yes' USR1
kill -USR1 $$
[ "$caught" = yes ]
exit 42
