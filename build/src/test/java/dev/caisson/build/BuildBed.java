package dev.caisson.build;

import dev.caisson.containerfile.Source;
import dev.caisson.engine.Engine;
import dev.caisson.engine.EngineOptions;
import dev.caisson.engine.Images;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.ImageTree;
import dev.caisson.image.NewLayer;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.TarWriter;
import dev.caisson.image.TarWriter.Attributes;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Network;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// An engine, a store with an image of Debian's busybox-static, and a context.
final class BuildBed implements AutoCloseable {
    private static final Path BUSYBOX = Path.of("/bin/busybox");
    private static final Attributes PROGRAM = new Attributes(0755, 0, 0, Instant.ofEpochSecond(1000));
    private static final Attributes FILE = new Attributes(0644, 0, 0, Instant.ofEpochSecond(1000));
    private static final List<String> PROGRAMS = List.of(
            "sh", "ls", "cat", "stat", "id", "env", "true", "false", "sleep", "mkdir", "rm", "mv", "grep", "find",
            "touch", "wc", "dd", "chmod", "chown", "ln", "echo", "pwd", "test", "cp", "head", "kill", "mkfifo", "yes");

    final Path directory;
    final Path context;
    final EngineOptions options;
    final Engine engine;
    Images images;
    final Heard heard = new Heard();

    /// What a build has told.
    static final class Heard implements BuildListener {
        final List<String> begun = new ArrayList<>();
        final List<String> failed = new ArrayList<>();
        final List<String> cancelled = new ArrayList<>();
        private final Map<Integer, String> steps = new HashMap<>();
        final List<String> cached = new ArrayList<>();
        final List<String> warnings = new ArrayList<>();
        final StringBuilder output = new StringBuilder();

        @Override
        public synchronized void begins(int number, String where, String text) {
            begun.add("[" + where + "] " + text);
            steps.put(number, begun.getLast());
        }

        @Override
        public synchronized void output(int number, boolean isError, String text) {
            output.append(text);
        }

        @Override
        public synchronized void ends(int number, boolean wasCached, Duration time) {
            if (wasCached) {
                cached.add(steps.get(number));
            }
        }

        @Override
        public synchronized void fails(int number, String sentence) {
            failed.add(steps.get(number) + ": " + sentence);
        }

        @Override
        public synchronized void cancels(int number) {
            cancelled.add(steps.get(number));
        }

        @Override
        public synchronized void warns(String sentence) {
            warnings.add(sentence);
        }

        synchronized void forget() {
            begun.clear();
            cached.clear();
            failed.clear();
            warnings.clear();
            cancelled.clear();
            steps.clear();
            output.setLength(0);
        }
    }

    BuildBed(Path directory, String name) throws IOException {
        this.directory = directory;
        this.context = Files.createDirectories(directory.resolve("context"));
        String own = "caisson-test-" + name + "-" + ProcessHandle.current().pid();
        options = new EngineOptions(Path.of("/run", own), Path.of("/var/lib", own));
        engine = Engine.open(options);
        images = Images.open(options);
        base();
    }

    /// Adds the base image.
    void base() {
        base("busybox:1", "\"Env\":[\"PATH=/bin\",\"BASE=1\"],\"Cmd\":[\"sh\"]");
    }

    /// Opens the store again.
    void reopen() {
        images.close();
        images = Images.open(options);
    }

    /// Adds a base image with this configuration.
    void base(String name, String config) {
        images.make(
                Optional.empty(),
                List.of(new NewLayer(BuildBed::busybox, false)),
                digests -> document(digests, config),
                ImageReference.parse(name));
    }

    private static byte[] document(List<Digest> digests, String config) {
        String arch = dev.caisson.image.Platform.running().architecture();
        return ("{\"architecture\":\"" + arch + "\",\"os\":\"linux\",\"created\":\"2026-01-01T00:00:00Z\",\"config\":{"
                        + config + "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + digests.getFirst()
                        + "\"]},\"history\":[{\"created\":\"2026-01-01T00:00:00Z\",\"created_by\":\"base\"}]}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void busybox(OutputStream out) throws IOException {
        var tar = new TarWriter(out);
        tar.directory("bin", PROGRAM);
        byte[] program = Files.readAllBytes(BUSYBOX);
        tar.file("bin/busybox", program.length, PROGRAM);
        tar.content(program, program.length);
        for (String link : PROGRAMS) {
            tar.symbolicLink("bin/" + link, "busybox", PROGRAM);
        }
        tar.directory("etc", PROGRAM);
        text(tar, "etc/passwd", "root:x:0:0::/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n");
        text(tar, "etc/group", "root:x:0:\napp:x:1001:\n");
        tar.directory("tmp", new Attributes(01777, 0, 0, Instant.ofEpochSecond(1000)));
        tar.finish();
    }

    private static void text(TarWriter tar, String name, String content) throws IOException {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        tar.file(name, bytes.length, FILE);
        tar.content(bytes, bytes.length);
    }

    void file(String name, String content) throws IOException {
        Path path = context.resolve(name);
        Files.createDirectories(path.getParent());
        Files.writeString(path, content);
    }

    BuildRequest request(String... lines) {
        return new BuildRequest(
                Source.of("Dockerfile", String.join("\n", lines) + "\n"),
                Optional.of(context),
                Optional.empty(),
                List.of(ImageReference.parse("built:1")),
                Map.of(),
                Optional.empty(),
                Map.of(),
                Map.of(),
                Network.none(),
                true,
                false,
                Optional.empty(),
                RegistryLogins.none());
    }

    BuildResult build(String... lines) throws InterruptedException {
        return build(request(lines));
    }

    BuildResult build(BuildRequest request) throws InterruptedException {
        heard.forget();
        return new Builder(engine, images, options).build(request, heard);
    }

    BuildException failure(String... lines) throws InterruptedException {
        return failure(request(lines));
    }

    BuildException failure(BuildRequest request) throws InterruptedException {
        try {
            build(request);
        } catch (BuildException e) {
            return e;
        }
        throw new AssertionError("the build did not fail");
    }

    ConfigDocument config(BuildResult result) {
        return ConfigDocument.parse(images.config(result.image()));
    }

    /// Runs a shell line in an image.
    String run(BuildResult result, String line) throws InterruptedException {
        Image image = LayerStore.image(result.image());
        return engine.run(ContainerSpec.of(image, "/bin/sh", "-c", line).entrypoint(List.of()))
                .stdout();
    }

    /// Reads a file of an image.
    Optional<String> read(BuildResult result, String path) {
        try (ImageTree tree = images.tree(LayerStore.image(result.image()));
                Fd root = FileSystem.openAt(
                        tree.root(),
                        ".",
                        FileSystem.O_RDONLY | FileSystem.O_DIRECTORY,
                        0,
                        FileSystem.RESOLVE_BENEATH)) {
            Optional<Fd> found = FileSystem.find(root, path, FileSystem.O_RDONLY, FileSystem.RESOLVE_IN_ROOT);
            return found.map(fd -> {
                try (fd) {
                    return new String(FileSystem.read(fd, 1 << 20), StandardCharsets.UTF_8);
                }
            });
        }
    }

    @Override
    public void close() throws IOException {
        images.close();
        engine.close();
        remove(options.state());
        remove(options.data());
        Files.deleteIfExists(WorkplaceTest.SHARED); // fails if a secret is left there
    }

    static void remove(Path tree) throws IOException {
        if (!Files.exists(tree)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
