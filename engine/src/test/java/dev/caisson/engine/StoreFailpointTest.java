package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.engine.StoreActor.Act;
import dev.caisson.error.CaissonException;
import dev.caisson.image.ArchiveForm;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.StoredImage;
import dev.caisson.image.TarWriter;
import dev.caisson.spec.ContainerSpec;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A process is killed at lines of the code that loads, pulls, unpacks, commits, names and removes images,
/// or finds no room on the disk there. Afterwards every image of the store is whole, the act can be done
/// again, and nothing is left.
///
/// `-Dcaisson.test.failpoints=1000` tries every line, `-Dcaisson.test.failpoints.acts=LOAD,PULL` those of some acts
/// alone, and `-Dcaisson.test.failpoints.from=100 -Dcaisson.test.failpoints.to=200` the second hundred: so all can be
/// tried in pieces.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.MINUTES)
class StoreFailpointTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("stores"), OwnDirectories.data("stores"));
    private static final int LINES = Integer.getInteger("caisson.test.failpoints", 2);
    private static final int ALL = 1_000;
    /// One line in so many, and one of a few, may be passed in one run of an act and not in another.
    private static final int MOST_MISSED = 20;
    private static final int FROM = Integer.getInteger("caisson.test.failpoints.from", 0);
    private static final int TO = Integer.getInteger("caisson.test.failpoints.to", Integer.MAX_VALUE);
    private static final List<String> ACTS = List.of(System.getProperty(
                    "caisson.test.failpoints.acts",
                    Stream.of(Act.values()).map(Act::name).collect(Collectors.joining(",")))
            .split(",", -1));
    private static final String BASE = "caisson-test/base:1";
    private static final String BOX = "box";
    private static final int CONTENT = 300_000;

    @TempDir
    Path directory;

    private Path archive;
    private Images images;
    private Optional<Process> actor = Optional.empty();
    private Optional<BufferedReader> answers = Optional.empty();
    private Set<String> empty;
    private OneImageRegistry registry;
    private int passed;

    @BeforeEach
    void an_archive_of_an_image() throws Exception {
        Files.createDirectories(OPTIONS.data());
        run(
                "mount",
                "-t",
                "tmpfs",
                "-o",
                "size=32m,mode=755",
                "caisson-test",
                OPTIONS.data().toString());
        images = Images.open(OPTIONS);
        images.make(
                Optional.empty(),
                List.of(new NewLayer(StoreFailpointTest::base, true), new NewLayer(StoreFailpointTest::more, true)),
                StoreFailpointTest::config,
                ImageReference.parse(BASE));
        archive = directory.resolve("archive.tar");
        try (OutputStream to = Files.newOutputStream(archive)) {
            images.save(List.of(images.find(BASE)), ArchiveForm.DOCKER, to);
        }
        registry = new OneImageRegistry(images.find(BASE), OPTIONS.data());
        prepare(Act.COMMIT); // what is first made here is there before
        clear();
        empty = files();
    }

    @AfterEach
    void end() throws Exception {
        if (actor.isPresent()) {
            actor.get().destroyForcibly().waitFor();
        }
        try {
            clear();
        } finally {
            images.close();
            registry.close();
            run("umount", OPTIONS.data().toString());
        }
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Cmd\":[\"sh\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\""
                        + layers.getFirst() + "\",\"" + layers.getLast() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void base(OutputStream to) throws IOException {
        var tar = new TarWriter(to);
        var plain = new TarWriter.Attributes(0755, 0, 0, Instant.ofEpochSecond(1_000_000_000));
        tar.directory("bin", plain);
        byte[] busybox = Files.readAllBytes(Path.of("/bin/busybox"));
        tar.file("bin/sh", busybox.length, plain);
        tar.content(busybox, busybox.length);
        tar.finish();
    }

    private static void more(OutputStream to) throws IOException {
        var tar = new TarWriter(to);
        var plain = new TarWriter.Attributes(0644, 0, 0, Instant.ofEpochSecond(1_000_000_000));
        for (String name : List.of("a", "b", "c")) {
            var content = new byte[CONTENT];
            new Random(name.charAt(0)).nextBytes(content);
            tar.file("srv/" + name, content.length, plain);
            tar.content(content, content.length);
        }
        tar.finish();
    }

    // ---- a process is killed

    @ParameterizedTest
    @EnumSource(Act.class)
    void one_who_is_killed(Act act) throws Exception {
        assumeTrue(ACTS.contains(act.name()));
        List<String> lines = lines(act);
        int missed = 0;
        for (String line : lines) {
            prepare(act);
            ask(act, line);
            String answer = answer();
            boolean isThere = answer.equals(Failpoint.AT + line);
            if (!isThere) { // a line that threads come by only sometimes
                assertThat(answer).as(line).endsWith("\t" + Failpoint.OK);
                missed++;
            }
            actor.orElseThrow().destroyForcibly().waitFor();
            actor = Optional.empty();
            check(act, "%s %s %s".formatted(act, isThere ? "killed at" : "did not come by", line));
        }
        assertThat(missed)
                .as("lines that were not passed again")
                .isLessThanOrEqualTo(Math.max(1, lines.size() / MOST_MISSED));
        if (LINES >= ALL) {
            System.out.printf("%s: killed at %d lines of %d, from line %d%n", act, lines.size() - missed, passed, FROM);
        }
    }

    private String subject(Act act) {
        return switch (act) {
            case COMMIT -> BOX;
            case PULL -> registry.name() + "/" + BASE;
            default -> BASE;
        };
    }

    private static boolean adds(Act act) {
        return act == Act.LOAD || act == Act.PULL;
    }

    private void ask(Act act, String place) throws IOException {
        if (actor.isEmpty()) {
            Process started = new EngineProcess(StoreActor.Observed.class, OPTIONS, archive, List.of()).start();
            actor = Optional.of(started);
            answers = Optional.of(started.inputReader());
            assertThat(answer()).isEqualTo(EngineProcess.OPENED);
        }
        var to = actor.get().outputWriter();
        to.write(act + " " + subject(act) + " " + place + "\n");
        to.flush();
    }

    private String answer() throws IOException {
        return answers.orElseThrow().readLine();
    }

    private List<String> lines(Act act) throws Exception {
        prepare(act);
        ask(act, Failpoint.NOWHERE);
        String[] answer = answer().split("\t", 2);
        assertThat(answer[1]).isEqualTo(Failpoint.OK);
        List<String> all = List.of(answer[0].split(" ", -1));
        assertThat(all).hasSizeGreaterThan(10);
        passed = all.size();
        double step = LINES >= ALL ? 1 : Math.max(1, (double) all.size() / LINES);
        var chosen = new ArrayList<String>();
        for (double at = step == 1 ? FROM : step / 2; at < Math.min(all.size(), TO); at += step) {
            chosen.add(all.get((int) at));
        }
        return chosen;
    }

    /// Makes the store what it is before the act.
    private void prepare(Act act) throws Exception {
        clear();
        if (adds(act)) {
            return;
        }
        StoreActor.act(Act.LOAD, images, BASE, archive);
        if (act == Act.COMMIT) {
            try (Engine engine = Engine.open(OPTIONS)) {
                var box = ContainerSpec.of(
                                new Image.Named(ImageReference.parse(BASE)), "sh", "-c", "echo new > /srv/new")
                        .name(BOX);
                DetachedContainer made = engine.create(box, DetachedOptions.STANDARD);
                made.start();
                assertThat(made.await().orElseThrow().status()).isZero();
            }
        } else if (act != Act.UNPACK) {
            StoreActor.act(Act.UNPACK, images, BASE, archive);
        }
    }

    private void check(Act act, String as) throws Exception {
        for (StoredImage image : images.list()) {
            assertThat(images.check(image).faults())
                    .as("%s, %s", as, image.name())
                    .isEmpty();
        }
        String base = act == Act.PULL ? subject(act) : BASE;
        boolean gone = images.list().stream().noneMatch(image -> images.isCalled(image, base));
        boolean mayBeGone = adds(act) || act == Act.REMOVE || act == Act.PRUNE;
        assertThat(gone && !mayBeGone).as("%s: the image is gone", as).isFalse();
        if (!gone || adds(act) || act == Act.PRUNE) {
            StoreActor.act(act, images, subject(act), archive);
        }
        for (StoredImage image : images.list()) {
            assertThat(images.check(image).faults())
                    .as("%s, then again, %s", as, image.name())
                    .isEmpty();
        }
        clear();
        assertThat(files()).as(as).isEqualTo(empty);
    }

    private void clear() throws Exception {
        Optional<DetachedContainer> box = DetachedContainer.find(BOX, OPTIONS);
        if (box.isPresent()) {
            box.get().remove(true);
        }
        for (StoredImage image : images.list()) {
            images.remove(image);
        }
        images.prune(true);
        images.close(); // the next open clears what a killed process has left
        images = Images.open(OPTIONS);
    }

    /// Lists what the store has on the disk.
    private static Set<String> files() throws IOException {
        try (Stream<Path> all = Files.walk(OPTIONS.data())) {
            return all.map(Path::toString)
                    .filter(path -> !path.endsWith("lock"))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    // ---- the disk is full

    @ParameterizedTest
    @EnumSource(Act.class)
    void one_who_finds_no_room(Act act) throws Exception {
        for (long free : new long[] {0, 4096, 200_000, 1_000_000, 2_500_000}) {
            prepare(act);
            List<String> before = names();
            Path filler = fill(free);
            Throwable failure = catchThrowable(() -> StoreActor.act(act, images, subject(act), archive));
            String as = "%s with %d bytes of room: %s".formatted(act, free, failure);
            assertThat(failure == null || failure instanceof CaissonException)
                    .as(as)
                    .isTrue();
            Files.delete(filler);
            if (failure != null) {
                assertThat(act).as(as).isNotEqualTo(Act.REMOVE); // what is unpacked goes first, and makes room
                assertThat(names()).as(as).isEqualTo(before);
            }
            check(act, as);
        }
    }

    private List<String> names() {
        return images.list().stream().map(StoredImage::name).sorted().toList();
    }

    /// Leaves no more than so many bytes of room, in whole pages.
    private static Path fill(long free) throws IOException {
        Path filler = OPTIONS.data().resolve("filler");
        long left = Files.getFileStore(OPTIONS.data()).getUsableSpace() - free;
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

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}
