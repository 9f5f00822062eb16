# SPDX-License-Identifier: GPL-2.0-only
#
# One git repository: a worktree for each, and one branch that all add to.
#
#   make DIR WHO...		the repository, and worktrees
#   commit DIR WHO SECONDS	in its worktree, and to the branch, 3 at least: prints how many
#   force DIR WHO SECONDS	the same, but does not look whether somebody else added to it
#   gc DIR SECONDS		packs and cleans up meanwhile: prints how often
#   check DIR			git's own checks: "WHO COMMITS" each, and of the branch "all COMMITS"

export HOME=/tmp GIT_AUTHOR_NAME=box GIT_AUTHOR_EMAIL=box@box GIT_COMMITTER_NAME=box GIT_COMMITTER_EMAIL=box@box
# Who finds a ref locked waits, which git does for a tenth of a second by itself.
export GIT_CONFIG_COUNT=3 GIT_CONFIG_KEY_0=gc.auto GIT_CONFIG_VALUE_0=0
export GIT_CONFIG_KEY_1=core.filesRefLockTimeout GIT_CONFIG_VALUE_1=60000
export GIT_CONFIG_KEY_2=core.packedRefsTimeout GIT_CONFIG_VALUE_2=60000
cmd=$1 dir=$2
shift 2

# adds WHO [FORCE]: a commit on top of the branch, again if somebody else was first.
adds() {
	local old new

	while :; do
		old=$(git rev-parse refs/heads/all) || return
		new=$(git commit-tree -p "$old" -m "$1" "$old^{tree}") || return
		if [ -n "${2-}" ]; then
			git update-ref refs/heads/all "$new" && return
		else
			git update-ref refs/heads/all "$new" "$old" 2>/tmp/git.$1 && return
			grep -qE 'is at|File exists' /tmp/git.$1 || { cat /tmp/git.$1; return 1; }
		fi
	done
}

set -e
case $cmd in
make)
	git init -q -b first "$dir/repo"
	cd "$dir/repo"
	git commit -q --allow-empty -m first
	git branch all
	for who; do
		git worktree add -q -b "$who" "../$who" first
	done ;;
commit|force)
	cd "$dir/$1"
	end=$(($(date +%s) + $2)) n=0
	[ ! -e n ] || n=$(cat n)
	was=$n
	while n=$((n + 1)); do
		echo $n >n
		seq $n $((n + 200)) >"f$((n % 10))"
		git add .
		git commit -q -m "$1 $n"
		adds "$1" "$([ $cmd = commit ] || echo force)"
		[ "$(date +%s)" -lt $end ] || [ $((n - was)) -lt 3 ] || break
	done
	echo $((n - was)) ;;
gc)
	cd "$dir/repo"
	end=$(($(date +%s) + $1)) n=0
	while n=$((n + 1)); do
		git repack -q -d
		git pack-refs --all
		git gc -q
		git worktree prune
		[ "$(date +%s)" -lt $end ] || break
	done
	echo $n ;;
check)
	cd "$dir/repo"
	git fsck --full --strict --no-dangling 1>&2
	[ -z "$(find .git -name '*.lock')" ]
	{
		git worktree list | while read -r at _; do
			[ "$at" != "$dir/repo" ] || continue
			who=${at##*/} n=$(cat "$at/n")
			[ -z "$(git -C "$at" status --porcelain)" ] || { git -C "$at" status; exit 1; } >&2
			[ "$n" = "$(git show "$who:n")" ] || exit 1
			echo "$who $(($(git rev-list --count "$who") - 1))"
		done
		echo "all $(($(git rev-list --count all) - 1))"
	} | sort ;;
esac
