# packages: mariadb-server
# port: 3306
# client: test "$(mariadb -h $server -u app -pkept -BNe 'SELECT 6 * 7')" = 42
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && head -c 64 <&3 | grep -qa MariaDB)
FROM packages/mariadb
RUN sed -i 's/^bind-address.*/bind-address = 0.0.0.0/' /etc/mysql/mariadb.conf.d/50-server.cnf && \
    mkdir -p /run/mysqld && chown mysql: /run/mysqld && \
    (mariadbd --user=mysql & until mariadb-admin ping >/dev/null 2>&1; do sleep 0.2; done; \
     mariadb -e "CREATE USER app IDENTIFIED BY 'kept'" && mariadb-admin shutdown && wait)
EXPOSE 3306
VOLUME /var/lib/mysql
HEALTHCHECK --interval=1s --retries=30 CMD mariadb-admin ping
CMD ["sh", "-c", "install -d -o mysql -g mysql /run/mysqld && exec mariadbd --user=mysql"]
