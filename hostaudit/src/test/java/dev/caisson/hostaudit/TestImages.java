package dev.caisson.hostaudit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Images of a few files, made here: busybox, a program that idles, and what the cases need on top.
final class TestImages {
    private static final List<String> APPLETS = List.of("sh", "sleep", "true", "cat", "chmod", "mkdir", "rm", "touch");

    private final Dockerd daemon;
    private final Path work;

    TestImages(Dockerd daemon, Path work) {
        this.daemon = daemon;
        this.work = work;
    }

    /// The test's own static program.
    static Path actor(Path work) throws IOException {
        Path source = work.resolve("actor.c");
        Path program = work.resolve("actor");
        try (var in = TestImages.class.getResourceAsStream("actor.c")) {
            Files.copy(java.util.Objects.requireNonNull(in), source);
        }
        Dockerd.must("gcc", "-O1", "-static", "-o", program.toString(), source.toString());
        return program;
    }

    /// Makes `root.tar` in the directory, unless it is there: busybox, the test's own program and accounts.
    static void root(Path work) throws IOException {
        Path root = work.resolve("root");
        if (Files.exists(root)) {
            return;
        }
        Files.createDirectories(root.resolve("bin"));
        Files.createDirectories(root.resolve("etc"));
        Files.createDirectories(root.resolve("usr/sbin"));
        Files.copy(Path.of("/bin/busybox"), root.resolve("bin/busybox"));
        for (String applet : APPLETS) {
            Files.createSymbolicLink(root.resolve("bin").resolve(applet), Path.of("busybox"));
        }
        Files.copy(actor(work), root.resolve("usr/sbin/sshd"));
        Files.copy(work.resolve("actor"), root.resolve("bin/actor"));
        Files.writeString(
                root.resolve("etc/passwd"), "root:x:0:0::/:/bin/sh\ntoor:x:0:0::/:/bin/sh\napp:x:65532:65532::/:\n");
        Dockerd.must(
                "tar", "-C", root.toString(), "-cf", work.resolve("root.tar").toString(), ".");
    }

    void imported(String name, String... changes) throws IOException {
        root(work);
        List<String> command = new ArrayList<>(List.of("import"));
        for (String change : changes) {
            command.addAll(List.of("--change", change));
        }
        command.addAll(List.of(work.resolve("root.tar").toString(), name));
        daemon.docker(command);
    }

    /// Builds a Dockerfile whose context holds `file`.
    void built(String name, String dockerfile) throws IOException {
        Path context = Files.createTempDirectory(work, "context");
        Files.writeString(context.resolve("Dockerfile"), dockerfile);
        Files.writeString(context.resolve("file"), "content\n");
        Files.writeString(context.resolve("key.pem"), """
                -----BEGIN %s KEY-----
                c2VjcmV0
                -----END %s KEY-----
                """.formatted("PRIVATE", "PRIVATE"));
        daemon.docker("build", "--network", "none", "--tag", name, context.toString());
    }
}
