# SPDX-License-Identifier: GPL-2.0-only
#
# A C project that several make at once, in one tree: each its part of the objects, who comes
# first the program, under a lock.
#
#   make DIR			the project
#   turn DIR N			all that depends on the number N is to be made again
#   build DIR PART		objects of that part, then the program: prints what it says
#   idle DIR			there is nothing left to be made

cmd=$1 dir=$2
FILES=24

set -e
case $cmd in
make)
	cd "$dir"
	for i in $(seq $FILES); do
		printf '#include "number.h"\nint f%d(void)\n{\n\treturn NUMBER;\n}\n' "$i" >"f$i.c"
	done
	{
		printf '#include <stdio.h>\n'
		printf 'int f%d(void);\n' $(seq $FILES)
		printf 'int main(void)\n{\n\tprintf("%%d\\n", 0'
		printf ' + f%d()' $(seq $FILES)
		printf ');\n\treturn 0;\n}\n'
	} >main.c
	printf '%s\n' 'OBJS = $(patsubst %.c,%.o,$(wildcard *.c))' \
		'program: $(OBJS)' '	tcc -o $@.new $(OBJS) && mv $@.new $@' \
		'%.o: %.c number.h' '	tcc -c -o $@.$(PART) $< && mv $@.$(PART) $@' \
		'a: $(filter-out main.o,$(wordlist 1,12,$(OBJS)))' \
		'b: $(filter-out main.o,$(wordlist 13,99,$(OBJS)))' '.PHONY: a b' >Makefile
	echo "#define NUMBER 0" >number.h ;;
turn)
	cd "$dir"
	echo "#define NUMBER $3" >number.new
	mv number.new number.h ;;
build)
	cd "$dir"
	make -s -j3 PART="$3" "$3"
	flock lock make -s -j2 PART="$3" program
	./program ;;
idle)
	make -q -C "$dir" program ;;
esac
