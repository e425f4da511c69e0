#!/bin/sh
# Runs a make target of this commit in a bare Debian folder, as a newcomer's machine would:
#   deploy/native/try-on-bare-debian.sh bookworm|trixie [install|demo|test] [FOLDER]
# Needs root and debootstrap. The folder (default under /tmp) is kept, so that a second try shows a second start;
# remove it with rm -r. Mounts and processes live in namespaces of their own and end with the script, even by kill -9.
set -eu

suite=${1:?bookworm or trixie}
target=${2:-demo}
folder=${3:-/tmp/alatau-bare-$suite}
checkout=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
inside=/srv/alatau

if [ "${ALATAU_NAMESPACE:-}" != yes ]; then
    [ "$(id -u)" = 0 ] || { echo "This needs root." >&2; exit 2; }
    command -v debootstrap >/dev/null || { echo "apt-get install debootstrap" >&2; exit 2; }
    case $folder in "$checkout"/*) echo "The folder must be outside the checkout." >&2; exit 2 ;; esac
    ALATAU_NAMESPACE=yes exec unshare --mount --pid --fork --kill-child --propagation private -- "$0" "$suite" "$target" "$folder"
fi

mirror=$(apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' | awk '$2 == "Debian" {print $1; exit}')
if [ ! -e "$folder/usr/bin/git" ]; then
    echo "== a bare $suite in $folder"
    debootstrap --variant=minbase --include=make,git,python3,ca-certificates "$suite" "$folder" "$mirror" \
        >"$folder.log" 2>&1 || { tail -20 "$folder.log"; exit 1; }
fi

mount -t proc proc "$folder/proc"
mount --rbind /dev "$folder/dev"
mount -t tmpfs tmpfs "$folder/dev/shm"
cp -L /etc/resolv.conf /etc/hosts "$folder/etc/"
# What this machine's network asks for: its own certificates and how apt is to treat its mirror.
cp -r /usr/local/share/ca-certificates "$folder/usr/local/share/"
chroot "$folder" update-ca-certificates >/dev/null 2>&1
apt-config dump | grep -E '^Acquire::(Check-|http::Proxy|https::Proxy)' >"$folder/etc/apt/apt.conf.d/90host" || true

run() {
    env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        ${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} ${CI:+CI="$CI"} \
        chroot "$folder" sh -c "cd $inside && $1"
}

rm -rf "$folder$inside.new"
git clone -q --no-local "$checkout" "$folder$inside.new"
# Keep what an earlier try installed and stored: a second start is part of what is tried.
console=services/api/console
for kept in .venv .tools .alatau $console/built $console/web/node_modules; do
    [ ! -e "$folder$inside/$kept" ] || mv "$folder$inside/$kept" "$folder$inside.new/$kept"
done
rm -rf "${folder:?}$inside"
mv "$folder$inside.new" "$folder$inside"
git config --file "$folder/root/.gitconfig" --replace-all safe.directory "$inside"

echo "== make $target in a bare $suite, commit $(git -C "$checkout" rev-parse --short HEAD)"
started=$(date +%s)
case $target in
    demo) run "python3 -B -m deploy.native.try_demo" ;;
    *) run "make $target" ;;
esac
echo "== make $target took $(($(date +%s) - started)) s"
