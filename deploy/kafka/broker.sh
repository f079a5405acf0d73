#!/bin/bash
# Starts a broker of docker-compose.yml. Passwords go from the secret files into configuration files with mode 600, never
# into environment variables or command lines. Formatting the storage also creates the users `admin` and `broker`.
set -euo pipefail
umask 077
made=/mnt/shared/config

password() { tr -d '[:space:]' <"/run/secrets/kafka-$1"; }
controller=$(password controller)
broker=$(password broker)
admin=$(password admin)
modules=org.apache.kafka.common.security

# The image's start script puts these lines before the settings from the environment.
cat >$made/server.properties <<END
listener.name.controller.plain.sasl.jaas.config=$modules.plain.PlainLoginModule required \
  username="controller" password="$controller" user_controller="$controller";
listener.name.inside.scram-sha-512.sasl.jaas.config=$modules.scram.ScramLoginModule required \
  username="broker" password="$broker";
END

# For the tools in /opt/kafka/bin: pass --command-config /mnt/shared/config/admin.properties
cat >$made/admin.properties <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=$modules.scram.ScramLoginModule required username="admin" password="$admin";
END

for name in process.roles node.id listeners advertised.listeners listener.security.protocol.map \
  inter.broker.listener.name controller.listener.names controller.quorum.voters log.dirs; do
  variable=KAFKA_${name^^}
  variable=${variable//./_}
  echo "$name=${!variable}"
done >$made/format.properties
cat >$made/format.arguments <<END
format
--ignore-formatted
--cluster-id=$CLUSTER_ID
--config=$made/format.properties
--add-scram=SCRAM-SHA-512=[name=admin,password=$admin]
--add-scram=SCRAM-SHA-512=[name=broker,password=$broker]
END
/opt/kafka/bin/kafka-storage.sh @$made/format.arguments >/dev/null
rm $made/format.arguments

exec /etc/kafka/docker/run
