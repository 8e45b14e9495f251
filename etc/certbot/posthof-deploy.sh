#!/bin/sh
# certbot runs this after each renewal (RENEWED_LINEAGE, RENEWED_DOMAINS); put
# it into /etc/letsencrypt/renewal-hooks/deploy/.  The chain and key go to
# tls-dir/NAME for each name, and posthof reads them again; no session ends.
set -eu

dir=${POSTHOF_TLS_DIR:-/etc/posthof/tls/names}
umask 077
for name in $RENEWED_DOMAINS; do
	case $name in
	'*'*) continue ;;	# tls-dir is for names
	esac
	mkdir -p "$dir"
	rm -rf "$dir/.$name"
	mkdir "$dir/.$name"
	cp "$RENEWED_LINEAGE/fullchain.pem" "$RENEWED_LINEAGE/privkey.pem" \
		"$dir/.$name/"
	mkdir -p "$dir/$name"
	# The key first: a pair that does not fit is refused by the reload.
	mv "$dir/.$name/privkey.pem" "$dir/.$name/fullchain.pem" "$dir/$name/"
	rmdir "$dir/.$name"
done
exec "${POSTHOF:-posthof}" reload
