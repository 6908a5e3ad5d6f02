# packages: redis-server redis-tools
# port: 6379
# client: redis-cli -h $server set key kept | grep -q OK && redis-cli -h $server get key | grep -q kept
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && echo PING >&3 && head -c 5 <&3 | grep -q PONG)
FROM packages/redis
RUN sed -i 's/^bind .*/bind */; s/^protected-mode .*/protected-mode no/; s/^daemonize .*/daemonize no/; s/^logfile .*/logfile ""/' /etc/redis/redis.conf
USER redis
EXPOSE 6379
VOLUME /var/lib/redis
HEALTHCHECK --interval=1s --retries=30 CMD redis-cli ping
CMD ["redis-server", "/etc/redis/redis.conf"]
