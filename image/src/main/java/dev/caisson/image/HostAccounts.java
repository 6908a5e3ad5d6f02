package dev.caisson.image;

import dev.caisson.image.SkeletonEntry.File;
import dev.caisson.image.SkeletonEntry.Link;
import java.nio.charset.StandardCharsets;
import java.util.List;

/// The files of `/etc` that the host image has of its own, whatever the host's say: the host's people, names and
/// addresses are not the container's business.
final class HostAccounts {
    private static final String PASSWD = """
            root:x:0:0:root:/root:/bin/sh
            daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
            bin:x:2:2:bin:/bin:/usr/sbin/nologin
            sys:x:3:3:sys:/dev:/usr/sbin/nologin
            mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
            www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
            nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
            """;
    private static final String GROUP = """
            root:x:0:
            daemon:x:1:
            bin:x:2:
            sys:x:3:
            adm:x:4:
            tty:x:5:
            disk:x:6:
            mail:x:8:
            www-data:x:33:
            utmp:x:43:
            staff:x:50:
            users:x:100:
            nogroup:x:65534:
            """;
    private static final String NSSWITCH = """
            passwd: files
            group: files
            shadow: files
            hosts: files dns
            networks: files
            protocols: files
            services: files
            """;
    private static final String HOSTS = """
            127.0.0.1 localhost
            ::1 localhost ip6-localhost ip6-loopback
            """;
    private static final String PROFILE = """
            if [ "$(id -u)" -eq 0 ]; then
              PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
            else
              PATH=/usr/local/bin:/usr/bin:/bin
            fi
            export PATH
            """;

    private HostAccounts() {}

    /// `hostname` and `resolv.conf` are empty: what a container gets there is mounted over them.
    static List<SkeletonEntry> files() {
        return List.of(
                file("etc/passwd", PASSWD),
                file("etc/group", GROUP),
                file("etc/nsswitch.conf", NSSWITCH),
                file("etc/hosts", HOSTS),
                file("etc/hostname", ""),
                file("etc/resolv.conf", ""),
                file("etc/profile", PROFILE),
                new Link("etc/mtab", "../proc/self/mounts"));
    }

    private static File file(String path, String content) {
        return new File(path, 0644, content.getBytes(StandardCharsets.UTF_8));
    }
}
