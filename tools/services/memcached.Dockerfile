# packages: memcached netcat-openbsd
# port: 11211
# client: printf 'set key 0 0 4\r\nkept\r\nget key\r\nquit\r\n' | nc -q 2 $server 11211 | grep -q kept
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && printf 'version\r\n' >&3 && head -c 7 <&3 | grep -q VERSION)
FROM packages/memcached
EXPOSE 11211
HEALTHCHECK --interval=1s --retries=30 CMD printf 'version\r\nquit\r\n' | nc -q 1 127.0.0.1 11211 | grep -q VERSION
CMD ["memcached", "-u", "memcache", "-m", "64", "-p", "11211"]
