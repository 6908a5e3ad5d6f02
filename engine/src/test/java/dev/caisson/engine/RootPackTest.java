package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.TarEntry;
import dev.caisson.image.TarReader;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The archive of a container's root file system.
class RootPackTest extends BusyboxEngine {
    @TempDir
    @SuppressWarnings("NullAway.Init") // JUnit sets it
    Path temporary;

    /// A member: type, permissions, owner, target of a link, content.
    private static Map<String, String> members(byte[] tar) throws IOException {
        var members = new LinkedHashMap<String, String>();
        var reader = new TarReader(new ByteArrayInputStream(tar));
        for (Optional<TarEntry> next = reader.next(); next.isPresent(); next = reader.next()) {
            TarEntry entry = next.get();
            var content = new ByteArrayOutputStream();
            reader.content((bytes, length, _) -> content.write(bytes, 0, length));
            members.put(
                    entry.name().replaceFirst("/$", ""),
                    entry.kind() + " " + Integer.toOctalString(entry.mode()) + " " + entry.uid() + ":" + entry.gid()
                            + " " + entry.linkTarget()
                            + (content.size() < 100 ? content.toString(StandardCharsets.UTF_8) : "large"));
        }
        return members;
    }

    private static final String CHANGES = "set -e; mkdir -p /srv/a/b; echo x >/srv/a/b/f; ln /srv/a/b/f /srv/g;"
            + " ln -s /etc/passwd /srv/l; echo s >/scratch/secret; echo v >/volume/file; mkfifo /srv/p;"
            + " chown 5:6 /srv/a/b/f; chmod 751 /srv/a; rm /etc/gone; rm -r /etc/d; mkdir /etc/d; echo n >/etc/d/new;"
            + " echo changed >/etc/changed";

    private DetachedContainer changed(String after) throws Exception {
        Files.writeString(root.resolve("etc/gone"), "");
        Files.writeString(root.resolve("etc/changed"), "before");
        Files.writeString(root.resolve("etc/kept"), "k");
        Files.createDirectories(root.resolve("etc/d/old"));
        Files.writeString(Files.createDirectory(root.resolve("volume")).resolve("of-the-image"), "i");
        for (String program : new String[] {"ln", "mkfifo", "chown", "chmod", "rm"}) {
            Files.createLink(root.resolve("bin").resolve(program), root.resolve("bin/busybox"));
        }
        Path volume = Files.createDirectory(temporary.resolve("volume"));
        ContainerSpec spec = busybox("sh", "-c", CHANGES + after)
                .mount(new Mount.Tmpfs(InRootPath.parse("/scratch"), Bytes.mebibytes(1), 01777, false, false))
                .mount(new Mount.Bind(volume, InRootPath.parse("/volume"), false, false));
        DetachedContainer made = engine.create(spec, DetachedOptions.STANDARD);
        made.start();
        return made;
    }

    private static byte[] written(DetachedContainer container) throws Exception {
        var tar = new ByteArrayOutputStream();
        container.writeRoot(tar);
        return tar.toByteArray();
    }

    @Test
    void the_archive_has_what_the_container_shows_and_nothing_that_is_mounted_in_it() throws Exception {
        DetachedContainer container = changed("");
        try {
            assertThat(container.await().orElseThrow().status()).isZero();
            byte[] tar = written(container);
            assertThat(written(container)).isEqualTo(tar);
            Map<String, String> members = members(tar);
            assertThat(members)
                    .containsEntry("etc/kept", "FILE 644 0:0 k")
                    .containsEntry("etc/changed", "FILE 644 0:0 changed\n")
                    .containsEntry("etc/d/new", "FILE 644 0:0 n\n")
                    .containsEntry("srv/a", "DIRECTORY 751 0:0 ")
                    .containsEntry("srv/a/b/f", "FILE 644 5:6 x\n")
                    .containsEntry("srv/g", "HARD_LINK 644 5:6 srv/a/b/f")
                    .containsEntry("srv/l", "SYMBOLIC_LINK 777 0:0 /etc/passwd")
                    .containsEntry("srv/p", "FIFO 644 0:0 ")
                    .containsEntry("volume/of-the-image", "FILE 644 0:0 i")
                    .containsEntry("bin/sh", "HARD_LINK 755 0:0 bin/busybox")
                    .doesNotContainKeys("etc/gone", "etc/d/old", "scratch/secret", "volume/file", "dev/null");
            assertThat(members.keySet()).noneMatch(name -> name.startsWith("proc/") || name.startsWith("sys/"));
        } finally {
            container.remove(true);
        }
    }

    @Test
    void one_that_runs_and_one_that_is_paused_are_written_too() throws Exception {
        DetachedContainer container = changed("; echo ready >/srv/ready; sleep 100");
        try {
            for (int tries = 0;
                    tries < 1000
                            && container.changes().stream()
                                    .noneMatch(c -> c.path().equals("/srv/ready"));
                    tries++) {
                Thread.sleep(5);
            }
            assertThat(members(written(container))).containsKey("srv/g");
            container.pause();
            assertThat(members(written(container))).containsKey("srv/ready").doesNotContainKey("scratch/secret");
        } finally {
            container.remove(true);
        }
    }
}
