#!/bin/sh
# Starts Alertmanager with the settings of docker-compose.yml written into alertmanager.yml.
set -eu
: "${ALERTS_TO:?write CHORUS_ALERTS_TO, the address that alerts are mailed to, into .env}"
case $SMTP_TLS in
  true | false) ;;
  *) echo "CHORUS_ALERTS_TLS is '$SMTP_TLS': write true or false into .env" >&2; exit 2 ;;
esac

value() { printf '%s' "$1" | sed 's/[\\&|]/\\&/g'; }
sed -e "s|\${SMTP}|$(value "$SMTP")|" -e "s|\${SMTP_TLS}|$SMTP_TLS|" -e "s|\${MAIL_FROM}|$(value "$MAIL_FROM")|" \
  -e "s|\${ALERTS_TO}|$(value "$ALERTS_TO")|" /etc/alertmanager/alertmanager.yml >/tmp/alertmanager.yml
exec alertmanager --config.file=/tmp/alertmanager.yml "$@"
