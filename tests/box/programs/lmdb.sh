# SPDX-License-Identifier: GPL-2.0-only
#
# LMDB's tools, writers and readers of one database.
#
#   write DB WHO SECONDS	transactions of 100 keys each, all with the same value: prints the last
#   read DB SECONDS		whoever looks sees whole transactions: prints how often
#   check DB			as that, and no reader is left behind: "WHO VALUE" each

goes_on() { [ "$(date +%s)" -lt $end ]; }

# "WHO VALUE" of each whole transaction; what is not whole ends it.
whole() {
	mdb_dump -n -p "$1" | awk -F- '
		/^ [a-z]+-[0-9]+$/ { who = substr($1, 2); next }
		/^ [0-9]+$/ && who != "" {
			v = substr($1, 2); n[who]++
			if (who in value && value[who] != v) {
				print "of " who ": " value[who] " and " v; exit 1
			}
			value[who] = v; who = ""
		}
		END { for (who in n) {
			if (n[who] != 100) { print "of " who ": " n[who] " keys"; exit 1 }
			print who, value[who]
		} }'
}

case $1 in
write)
	end=$(($(date +%s) + $4)) n=0
	while n=$((n + 1)); do
		seq -f "$3-%02g" 0 99 | sed "s/\$/\n$n/"
		echo $n >"/tmp/lmdb.$3"
		goes_on || break
	done | mdb_load -n -T "$2" || exit	# which commits after each 100
	cat "/tmp/lmdb.$3"
	rm "/tmp/lmdb.$3" ;;
read)
	end=$(($(date +%s) + $3)) n=0
	while n=$((n + 1)); do
		out=$(whole "$2") || { echo "$out"; exit 1; }
		goes_on || break
	done
	echo $n ;;
check)
	mdb_stat -n -r "$2" | grep -q 'no active readers' || { mdb_stat -n -r "$2"; exit 1; }
	whole "$2" | sort ;;
esac
