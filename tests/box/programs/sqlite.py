# SPDX-License-Identifier: GPL-2.0-only
#
# SQLite, many writers of one database, with its own locks.
#
#   make DB MODE			a new one: MODE of its journal, delete or wal
#   write DB WHO SECONDS [nolock]	transactions, one row and one count each: prints how many
#   read DB SECONDS			whoever looks sees as many rows as are counted
#   check DB				as that, and the database's own check: "WHO ROWS" each

import random, sqlite3, sys, time

what, path = sys.argv[1:3]
db = sqlite3.connect(f"file:{path}{'?nolock=1' if sys.argv[-1] == 'nolock' else ''}",
	uri=True, timeout=100, isolation_level=None)

def count():
	rows = dict(db.execute("select who, count(*) from rows group by who"))
	counted = dict(db.execute("select who, n from counts"))
	return rows, counted

def same():
	db.execute("begin")
	rows, counted = count()
	db.execute("commit")
	if rows != counted:
		sys.exit(f"{rows} rows, and counted were {counted}")
	return rows

if what == "make":
	mode = db.execute(f"pragma journal_mode={sys.argv[3]}").fetchone()[0]
	if mode != sys.argv[3]:
		sys.exit(f"its journal is {mode}")
	db.executescript("""create table rows(who text, n integer, filler text, unique(who, n));
		create table counts(who text primary key, n integer);""")
elif what == "write":
	who, end, n = sys.argv[3], time.monotonic() + float(sys.argv[4]), 0
	while n == 0 or time.monotonic() < end:
		db.execute("begin immediate")
		db.execute("insert into rows values(?, ?, hex(randomblob(?)))", (who, n, n % 300))
		db.execute("insert into counts values(?, 1) on conflict(who) do update set n = n + 1", (who,))
		db.execute("commit")
		n += 1
		time.sleep(random.random() / 20)	# else who is fastest keeps out all others
	print(n)
elif what == "read":
	end, n = time.monotonic() + float(sys.argv[3]), 0
	while n == 0 or time.monotonic() < end:
		same()
		n += 1
	print(n)
elif what == "check":
	said = db.execute("pragma integrity_check").fetchone()[0]
	if said != "ok":
		sys.exit(said)
	for who, n in sorted(same().items()):
		print(who, n)
