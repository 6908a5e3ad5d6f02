package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.engine.DetachedContainer;
import dev.caisson.engine.Images;
import dev.caisson.engine.Leftovers;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A build ends at lines of its code as if it were killed there, or finds no room on the disk. Afterwards its name
/// means the image of before or the new one, every image of the store is whole, the build can be done again, and
/// nothing is left.
///
/// `-Dcaisson.test.failpoints=1000` tries every line, with `-Dcaisson.test.failpoints.from=100
/// -Dcaisson.test.failpoints.to=200` the second hundred alone.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class BuildFailpointTest {
    private static final int LINES = Integer.getInteger("caisson.test.failpoints", 4);
    private static final int FROM = Integer.getInteger("caisson.test.failpoints.from", 0);
    private static final int TO = Integer.getInteger("caisson.test.failpoints.to", Integer.MAX_VALUE);
    private static final int ALL = 1_000;
    private static final String NAME = "built:1";
    private static final int MEBIBYTE = 1 << 20;

    private static final String BEFORE = "FROM busybox:1\nRUN --mount=type=cache,target=/c echo before >/c/it\n";
    private static final String DOCKERFILE = """
            FROM busybox:1 AS one
            RUN --mount=type=cache,target=/c --mount=type=secret,id=t cat /run/secrets/t >/dev/null; echo 1 >/c/it
            RUN head -c 1500000 /bin/busybox >/one
            FROM busybox:1
            COPY a.txt /srv/
            COPY --from=one /one /srv/one
            WORKDIR /new
            """;

    @TempDir
    private Path directory;

    private Path data;
    private BuildBed bed;
    private Digest before;
    private Digest after;
    private Set<String> empty;

    @BeforeEach
    void open() throws Exception {
        data = Path.of("/var/lib/caisson-test-fails-" + ProcessHandle.current().pid());
        Files.createDirectory(data);
        run("mount", "-t", "tmpfs", "-o", "size=96m,mode=700", "caisson-test", data.toString());
        bed = new BuildBed(directory, "fails");
        assertThat(bed.options.data()).isEqualTo(data);
        bed.file("a.txt", "a");
        after = built(DOCKERFILE).id();
        clear();
        before = built(BEFORE).id(); // and the cache is there
        assertThat(before).isNotEqualTo(after);
        clear();
        empty = files();
    }

    @AfterEach
    void close() throws Exception {
        run("umount", "-l", data.toString());
        bed.close();
    }

    private BuildResult built(String dockerfile) throws InterruptedException {
        return bed.build(BuildActor.request(bed.context, dockerfile));
    }

    /// Removes all images but the base.
    private void clear() throws Exception {
        for (StoredImage image : bed.images.list()) {
            bed.images.remove(image);
        }
        bed.images.prune(true);
        bed.reopen(); // the next open clears what a killed process has left
        bed.base();
    }

    /// Lists what is on the disk.
    private Set<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(data)) {
            return all.map(Path::toString)
                    .filter(path -> !path.endsWith("lock"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private void check(String as) throws Exception {
        Digest now = bed.images.describe(bed.images.find(NAME)).id();
        assertThat(now).as(as).isIn(before, after);
        assertWhole(as);
        endContainers();
        assertThat(built(DOCKERFILE).id()).as(as).isEqualTo(after);
        assertWhole(as + ", then again");
        assertLeavesNothing(as);
        clear();
        assertThat(files()).as(as).isEqualTo(empty);
    }

    private void assertLeavesNothing(String as) throws IOException {
        assertThat(DetachedContainer.all(bed.options)).as(as).isEmpty();
        assertThat(list(data.resolve("build"))).as(as).isEmpty();
        assertThat(list(bed.options.state().resolve("build"))).as(as).isEmpty();
        assertThat(list(WorkplaceTest.SHARED)).as(as).isEmpty();
    }

    private void assertWhole(String as) {
        for (StoredImage image : bed.images.list()) {
            assertThat(bed.images.check(image).faults())
                    .as("%s, %s", as, image.name())
                    .isEmpty();
        }
    }

    /// Shortens the lease of each container that a killed build has left, and waits until it is gone.
    private void endContainers() throws Exception {
        for (DetachedContainer container : DetachedContainer.all(bed.options)) {
            Throwable refused = catchThrowable(() -> container.renew(Duration.ofMillis(100)));
            assertThat(refused == null || refused instanceof CaissonException).isTrue(); // it may have ended meanwhile
        }
        Instant deadline = Instant.now().plusSeconds(70);
        while (!DetachedContainer.all(bed.options).isEmpty()) {
            assertThat(Instant.now()).as("a container outlives its lease").isBefore(deadline);
            Thread.sleep(50);
            Leftovers.clear(bed.options);
        }
    }

    private static List<Path> list(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(directory)) {
            return all.toList();
        }
    }

    // ---- a build is killed

    @Test
    void one_that_is_killed() throws Exception {
        built(BEFORE);
        List<String> all = passed();
        assertThat(all).hasSizeGreaterThan(100);
        List<String> lines = chosen(all);
        for (String line : lines) {
            clear();
            built(BEFORE);
            Process actor = actor(line);
            assertThat(actor.waitFor()).as(line).isEqualTo(BuildActor.ENDED);
            check("killed at " + line);
        }
        if (LINES >= ALL) {
            System.out.printf("killed at %d lines of %d, from line %d%n", lines.size(), all.size(), FROM);
        }
    }

    @Test
    @Tag("peers")
    void a_pull_that_is_killed() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start(directory)) {
            ImageReference name = ImageReference.parse(registry.host + "/box:1");
            StoredImage base = bed.images.tag(bed.images.find("busybox:1"), name);
            bed.images.push(base, RegistryLogins.none(), PullListener.none());
            String dockerfile = "FROM " + name + "\n";
            bed.images.remove(base);
            List<String> all = passed(dockerfile, false).stream()
                    .filter(line -> line.matches("(ImagePull|BlobDownload|ContentStore|ContentIndex):.*"))
                    .toList();
            assertThat(all).hasSizeGreaterThan(50);
            for (String line : chosen(all)) {
                String as = "killed at " + line;
                forget();
                assertThat(actor(dockerfile, line).waitFor()).as(as).isEqualTo(BuildActor.ENDED);
                assertWhole(as);
                built(dockerfile);
                StoredImage pulled = bed.images.find(name.toString());
                assertThat(pulled.manifest()).as(as).isEqualTo(base.manifest());
                assertThat(bed.images.check(pulled).faults()).as(as).isEmpty();
                clear();
                assertThat(files()).as(as).isEqualTo(empty);
            }
        }
    }

    /// Removes all images.
    private void forget() {
        for (StoredImage image : bed.images.list()) {
            bed.images.remove(image);
        }
        bed.images.prune(true);
    }

    private List<String> passed() throws Exception {
        return passed(DOCKERFILE, true);
    }

    /// @param withBase whether the base is in the store
    private List<String> passed(String dockerfile, boolean withBase) throws Exception {
        if (!withBase) {
            forget();
        }
        Process whole = actor(dockerfile, BuildActor.NOWHERE);
        String said = new String(whole.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(whole.waitFor()).isZero();
        return List.of(said.strip().split(" "));
    }

    private static List<String> chosen(List<String> all) {
        double step = LINES >= ALL ? 1 : Math.max(1, (double) all.size() / LINES);
        var chosen = new ArrayList<String>();
        for (double at = step == 1 ? FROM : step / 2; at < Math.min(all.size(), TO); at += step) {
            chosen.add(all.get((int) at));
        }
        return chosen;
    }

    private Process actor(String line) throws Exception {
        return actor(DOCKERFILE, line);
    }

    private Process actor(String dockerfile, String line) throws Exception {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        BuildEndTest.classPath(),
                        LineCalls.class.getName(),
                        bed.options.state().toString(),
                        data.toString(),
                        bed.context.toString(),
                        dockerfile,
                        line)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    // ---- the disk is full

    @Test
    void one_that_finds_no_room() throws Exception {
        var failed = new HashSet<Long>();
        for (long free : new long[] {0, 4096, 200_000, MEBIBYTE, 2L * MEBIBYTE, 3L * MEBIBYTE}) {
            clear();
            built(BEFORE);
            Path filler = fill(free);
            Throwable failure = catchThrowable(() -> built(DOCKERFILE));
            String as = "with %d bytes of room: %s".formatted(free, failure);
            assertThat(failure == null || failure instanceof CaissonException)
                    .as(as)
                    .isTrue();
            Files.delete(filler);
            if (failure != null) {
                failed.add(free);
                assertThat(bed.images.describe(bed.images.find(NAME)).id())
                        .as(as)
                        .isEqualTo(before);
            }
            assertLeavesNothing(as);
            check(as);
        }
        assertThat(failed).contains(0L, 4096L, 200_000L);
    }

    /// Leaves no more than so many bytes of room, in whole pages.
    private Path fill(long free) throws IOException {
        Path filler = data.resolve("filler");
        long left = Files.getFileStore(data).getUsableSpace() - free;
        try (OutputStream to = Files.newOutputStream(filler)) {
            var zeros = new byte[4096];
            for (long done = 0; done < left; done += zeros.length) {
                to.write(zeros);
            }
        } catch (IOException e) {
            // it is as full as it can be
        }
        return filler;
    }

    // ---- several at once

    @Test
    void several_at_once_make_one_image() throws Exception {
        try (var threads = Executors.newFixedThreadPool(4)) {
            Callable<Digest> one = () -> {
                try (Images images = Images.open(bed.options)) {
                    return new Builder(bed.engine, images, bed.options)
                            .build(BuildActor.request(bed.context, DOCKERFILE), BuildListener.none())
                            .id();
                }
            };
            for (var done : threads.invokeAll(Collections.nCopies(4, one))) {
                assertThat(done.get()).isEqualTo(after);
            }
        }
        check("four at once");
    }

    @Test
    void several_processes_at_once_make_one_image() throws Exception {
        var processes = new ArrayList<Process>();
        for (int i = 0; i < 3; i++) {
            processes.add(actor(BuildActor.NOWHERE));
        }
        for (Process process : processes) {
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(said).isZero();
        }
        bed.reopen();
        assertThat(bed.images.describe(bed.images.find(NAME)).id()).isEqualTo(after);
        check("three processes at once");
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}
