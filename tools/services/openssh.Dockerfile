# packages: openssh-server openssh-client
# port: 22
# client: ssh -i /etc/key -o StrictHostKeyChecking=no app@$server id | grep -q app
# host: (exec 3<>/dev/tcp/127.0.0.1/$port && head -c 7 <&3 | grep -q SSH-2.0)
FROM packages/openssh
RUN useradd -m app && mkdir /home/app/.ssh && ssh-keygen -q -t ed25519 -N '' -f /etc/key && \
    cp /etc/key.pub /home/app/.ssh/authorized_keys && chown -R app: /home/app/.ssh
EXPOSE 22
HEALTHCHECK --interval=1s --retries=30 CMD ssh-keyscan -T 1 127.0.0.1 | grep -q ed25519
CMD ["sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e"]
