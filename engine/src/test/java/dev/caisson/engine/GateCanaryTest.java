package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.secret.SecretStore;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueMatcher;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Mount;
import dev.caisson.spec.NetworkSpec;
import dev.caisson.spec.SecretFile;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A container whose requests get a value on the way has it neither in its memory nor in its files.
@Tag("root")
@Tag("netns")
@Timeout(value = 300, unit = TimeUnit.SECONDS)
class GateCanaryTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("canary"), OwnDirectories.data("canary"));
    private static final Path STORE = OPTIONS.data().resolve(SecretStore.DIRECTORY);
    private static final int PIECE = 1 << 20;
    /// Asks the gate, keeps what it got in memory and in a file, and waits.
    private static final String ASK = "import os, time, urllib.request, urllib.error\n"
            + "all = dict(os.environ)\n"
            + "try: urllib.request.urlopen('https://" + GatedStore.HOST + "/', timeout=20)\n"
            + "except urllib.error.HTTPError as e: all['answer'] = e.read().decode()\n"
            + "except OSError as e: all['answer'] = str(e)\n"
            + "open('/tmp/got', 'w').write(repr(all))\n"
            + "print(all['answer'], flush=True)\n"
            + "time.sleep(1000)\n";

    private static final String READ = """
            import time
            value = open('/run/secrets/gh').read()
            open('/tmp/got', 'w').write(value)
            time.sleep(1000)
            """;

    @TempDir
    private Path scratch;

    private NetworkBed bed;
    private SecretValue value;
    private ValueMatcher matcher;

    @BeforeEach
    void open() throws Exception {
        bed = new NetworkBed(OPTIONS);
        bed.networks(all -> all.create(NetworkSpec.of("web")));
        value = SecretValue.generate(43);
        matcher = ValueMatcher.of(List.of(value));
        GatedStore.make(STORE, scratch, value);
    }

    @AfterEach
    void close() throws Exception {
        matcher.close();
        value.close();
        bed.close();
        BusyboxEngine.removeTree(STORE);
    }

    @Test
    void a_gate_leaves_no_value_in_memory_or_files_of_its_container_and_a_file_does() throws Exception {
        ContainerSpec asking = GatedStore.gated(ContainerSpec.of(Image.host(), "python3", "-I", "-c", ASK));
        ContainerSpec reading = ContainerSpec.of(Image.host(), "python3", "-I", "-c", READ)
                .mount(new Mount.Secrets(List.of(SecretFile.of("gh"))));
        try (Engine engine = Engine.open(OPTIONS);
                Container gated = engine.start(asking, Streams.capture());
                Container given = engine.start(reading, Streams.capture())) {
            awaitFile(gated);
            awaitFile(given);
            assertThat(Files.readString(root(gated).resolve("tmp/got"))).contains("caisson gate: the host");
            assertThat(inMemory(gated)).isEmpty();
            assertThat(inFiles(gated)).isEmpty();
            assertThat(inMemory(given)).isNotEmpty();
            assertThat(inFiles(given)).anyMatch(file -> file.endsWith("tmp/got"));
        }
    }

    @Test
    void an_engine_has_no_value_in_its_memory_once_the_process_of_the_gate_has_it() throws Exception {
        ContainerSpec asking = GatedStore.gated(ContainerSpec.of(Image.host(), "python3", "-I", "-c", ASK));
        List<Path> self = List.of(Path.of("/proc/self"));
        try (Engine engine = Engine.open(OPTIONS);
                Container gated = engine.start(asking, Streams.capture())) {
            awaitFile(gated);
            assertThat(inMemory(self)).isEmpty();
            byte[] copy = value.copy();
            assertThat(inMemory(self)).isNotEmpty();
            Arrays.fill(copy, (byte) 0);
        }
    }

    private static Path root(Container container) {
        return Path.of("/proc/" + container.pid() + "/root");
    }

    private static void awaitFile(Container container) throws Exception {
        Path file = root(container).resolve("tmp/got");
        long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(100);
        while (!Files.exists(file) || Files.size(file) == 0) {
            assertThat(System.nanoTime() - until).isNegative();
            Thread.sleep(20);
        }
    }

    private boolean has(byte[] bytes, int length) {
        boolean[] found = new boolean[1];
        int _ = matcher.search(bytes, 0, length, (_, _, _, _) -> found[0] = true);
        return found[0];
    }

    /// Returns the regions of memory with the value, of all processes of the container.
    private List<String> inMemory(Container container) throws IOException {
        return inMemory(processes(Files.readSymbolicLink(Path.of("/proc/" + container.pid() + "/ns/pid"))));
    }

    private List<String> inMemory(List<Path> processes) throws IOException {
        var found = new ArrayList<String>();
        long read = 0;
        for (Path process : processes) {
            for (String region : Files.readAllLines(process.resolve("maps"))) {
                if (!region.matches("[0-9a-f]+-[0-9a-f]+ r.*") || region.endsWith("[vvar]")) {
                    continue;
                }
                try (var memory = new RandomAccessFile(process.resolve("mem").toFile(), "r")) {
                    String[] bounds = region.split("[- ]", 3);
                    long end = Long.parseUnsignedLong(bounds[1], 16);
                    byte[] piece = new byte[PIECE + 256]; // a value over the border of two pieces is in the second one
                    for (long at = Long.parseUnsignedLong(bounds[0], 16); at < end && at >= 0; at += PIECE) {
                        memory.seek(at);
                        int count = memory.read(piece, 0, (int) Math.min(piece.length, end - at));
                        read += Math.max(0, count);
                        if (count > 0 && has(piece, count)) {
                            found.add(process + " " + region);
                        }
                    }
                } catch (IOException e) {
                    // a region of the kernel's, as [vvar_vclock]
                }
            }
        }
        assertThat(read).isGreaterThan(1 << 20);
        return found;
    }

    private static List<Path> processes(Path namespace) throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.filter(path -> path.getFileName().toString().matches("[0-9]+"))
                    .filter(path -> isIn(namespace, path))
                    .toList();
        }
    }

    private static boolean isIn(Path namespace, Path process) {
        try {
            return Files.readSymbolicLink(process.resolve("ns/pid")).equals(namespace);
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    /// Returns the files with the value, of what the container may write or was given.
    private List<String> inFiles(Container container) throws IOException {
        var found = new ArrayList<String>();
        for (String top : List.of("run", "tmp", "var/tmp", "dev/shm", "home", "root")) {
            Path directory = root(container).resolve(top);
            if (!Files.exists(directory)) {
                continue;
            }
            Files.walkFileTree(directory, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                    if (attributes.isRegularFile() && attributes.size() < 64 * PIECE) {
                        byte[] content = Files.readAllBytes(file);
                        if (has(content, content.length)) {
                            found.add(file.toString());
                        }
                    }
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException why) {
                    return FileVisitResult.CONTINUE; // it is gone
                }
            });
        }
        return found;
    }
}
