#!/bin/sh
# Needs /run/secrets/sftp_host_key and /run/secrets/sftp_authorized_keys, and a /run/sshd to write to. Both are copied,
# because sshd minds whose they are and who may read them, and a mounted file keeps the owner that it has outside.
set -eu
install -m 600 /run/secrets/sftp_host_key /run/sshd/host_key
install -m 644 /run/secrets/sftp_authorized_keys /run/sshd/authorized_keys
exec /usr/sbin/sshd -D -e -f /etc/ssh/sshd_config
