# packages: dnsmasq bind9-dnsutils
# port: 53/udp
# client: dig +short +tries=2 kept.example @$(getent hosts $server | cut -d ' ' -f 1) | grep -qx 192.0.2.7
# host: (exec 3<>/dev/udp/127.0.0.1/$port && printf '\0\1\1\0\0\1\0\0\0\0\0\0\4kept\7example\0\0\1\0\1' >&3 && timeout 5 head -c 12 <&3 | od -An -tx1 | grep -q '00 01 8[0-9a-f]')
FROM packages/dnsmasq
RUN echo '192.0.2.7 kept.example' >>/etc/hosts.more
EXPOSE 53/udp
HEALTHCHECK --interval=1s --retries=30 CMD dig +short +tries=1 kept.example @127.0.0.1 | grep -qx 192.0.2.7
CMD ["dnsmasq", "--keep-in-foreground", "--user=dnsmasq", "--addn-hosts=/etc/hosts.more", "--log-facility=-"]
