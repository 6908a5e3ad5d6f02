# packages: postgresql
# port: 5432
# client: test "$(PGPASSWORD=kept psql -h $server -U app -tAc 'SELECT 6 * 7' app)" = 42
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && printf '\0\0\0\010\004\322\026\057' >&3 && head -c 1 <&3 | grep -q '[NS]')
FROM packages/postgresql
RUN cd /etc/postgresql/*/main && \
    echo "listen_addresses = '*'" >conf.d/listen.conf && \
    echo 'host all app samenet scram-sha-256' >>pg_hba.conf && \
    install -d -o postgres -g postgres /run/postgresql
USER postgres
RUN pg_ctlcluster 17 main start && \
    psql -c "CREATE ROLE app LOGIN PASSWORD 'kept'" -c 'CREATE DATABASE app OWNER app' && \
    pg_ctlcluster 17 main stop
EXPOSE 5432
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1s --retries=30 CMD pg_isready -q
CMD ["pg_ctlcluster", "--foreground", "17", "main", "start"]
