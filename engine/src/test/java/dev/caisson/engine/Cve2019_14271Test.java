package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Test;

/// CVE-2019-14271, CVE-2026-41567 and CVE-2022-1227: the engine looks a user up, unpacks or inspects by a program or
/// library of the image, which then does what its author likes.
class Cve2019_14271Test extends BusyboxEngine {
    private static final List<String> PROGRAMS = List.of(
            "getent",
            "gzip",
            "unpigz",
            "xz",
            "zstd",
            "tar",
            "nsenter",
            "ps",
            "mount",
            "newuidmap",
            "ldconfig",
            "modprobe",
            "sh",
            "init");

    @Test
    void nothing_of_the_image_runs_but_the_program_that_was_asked_for() throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Files.setPosixFilePermissions(volume, PosixFilePermissions.fromString("rwxrwxrwx"));
        for (String place : List.of("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin")) {
            Path programs = Files.createDirectories(root.resolve(place));
            for (String program : PROGRAMS) {
                trap(programs.resolve(program));
            }
        }
        trap(Files.createDirectories(root.resolve("lib")).resolve("libnss_files.so.2"));
        Files.writeString(root.resolve("etc/passwd"), "guest:x:1234:1235::/srv:/bin/sh\n");
        Files.writeString(root.resolve("etc/nsswitch.conf"), "passwd: files\n");

        RunResult found = engine.run(busybox("busybox", "id").user("guest").mount(bind(volume)));
        assertThat(found.stdout()).startsWith("uid=1234(guest) gid=1235");
        Container container = engine.start(busybox("busybox", "sleep", "100").mount(bind(volume)), Streams.capture());
        assertThat(Verification.of(container.id().value(), OPTIONS).isAsPlanned())
                .isTrue();
        container.kill();
        assertThat(container.await().verdict()).isEqualTo(Verdict.KILLED);
        assertThat(volume).isEmptyDirectory();

        assertThat(engine.run(busybox("ps").mount(bind(volume))).verdict()).isEqualTo(Verdict.OK);
        assertThat(volume).as("the traps work").isDirectoryContaining("glob:**/ran-ps");
    }

    @Test
    void nothing_of_the_image_runs_when_files_are_copied(@org.junit.jupiter.api.io.TempDir Path host) throws Exception {
        Path volume = Files.createDirectory(directory.resolve("volume"));
        Files.setPosixFilePermissions(volume, PosixFilePermissions.fromString("rwxrwxrwx"));
        for (String place : List.of("sbin", "usr/bin", "usr/sbin", "usr/local/bin")) {
            Path programs = Files.createDirectories(root.resolve(place));
            for (String program : PROGRAMS) {
                trap(programs.resolve(program));
            }
        }
        trap(Files.createDirectories(root.resolve("lib")).resolve("libnss_files.so.2"));
        Files.writeString(root.resolve("etc/nsswitch.conf"), "passwd: files\n");
        DetachedContainer made =
                engine.create(busybox("busybox", "sleep", "100").mount(bind(volume)), DetachedOptions.STANDARD);
        try {
            for (boolean running : new boolean[] {false, true}) {
                if (running) {
                    made.start();
                }
                try (ContainerFiles files = engine.files(made.id().value())) {
                    files.copyIn(root.resolve("etc"), "/srv/copy" + running, CopyOptions.STANDARD);
                    files.copyOut("/usr", host.resolve("usr" + running), CopyOptions.STANDARD);
                    files.pack("/etc", "etc", java.io.OutputStream.nullOutputStream(), CopyOptions.STANDARD);
                }
            }
        } finally {
            made.remove(true);
        }
        assertThat(volume).isEmptyDirectory();
        assertThat(host.resolve("usrtrue/bin/tar")).isRegularFile();
    }

    /// Tells that it ran, through a volume that anybody may write.
    private static void trap(Path program) throws Exception {
        Files.deleteIfExists(program);
        Files.writeString(program, "#!/bin/busybox sh\n/bin/busybox touch /volume/ran-" + program.getFileName() + "\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private static Mount.Bind bind(Path volume) {
        return new Mount.Bind(volume, InRootPath.parse("/volume"), false, false);
    }
}
