package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.build.BuildCaches.Export;
import dev.caisson.image.CachePlace;
import dev.caisson.image.Digest;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.StoredImage;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Results of steps that go from one store to another by a directory or a registry. The second store is the first one
/// without any result of a step.
@Tag("root")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class SharedCacheTest {
    private static final String[] LINES = {
        "FROM busybox:1 AS one",
        "RUN cat /proc/sys/kernel/random/uuid >/one",
        "FROM busybox:1",
        "COPY a /a",
        "RUN cat /proc/sys/kernel/random/uuid >/two",
        "COPY --from=one /one /one"
    };

    @TempDir
    private Path directory;

    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "shares");
        bed.file("a", "a");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
    }

    private BuildResult build(BuildCaches caches) throws InterruptedException {
        return bed.build(bed.request(LINES).caches(caches));
    }

    private static BuildCaches to(CachePlace place, boolean all) {
        return new BuildCaches(List.of(), List.of(new Export(place, all)), false);
    }

    private static BuildCaches from(CachePlace... places) {
        return new BuildCaches(List.of(places), List.of(), false);
    }

    /// Removes all images but the base, which is the same image again.
    private void forget() throws IOException {
        for (StoredImage image : bed.images.list()) {
            bed.images.remove(image);
        }
        bed.images.prune(true);
        bed.reopen();
        bed.base();
    }

    private CachePlace layout() {
        return new CachePlace.InDirectory(directory.resolve("cache"));
    }

    @Test
    void a_directory_saves_another_store_every_step() throws Exception {
        BuildResult first = build(to(layout(), true));
        forget();
        BuildResult second = build(from(layout()));

        assertThat(bed.heard.warnings).isEmpty();
        assertThat(bed.heard.cached).hasSize(4);
        assertThat(second.id()).isEqualTo(first.id());
        assertThat(bed.read(second, "two")).isEqualTo(bed.read(first, "two")).isPresent();
        assertThat(bed.images.check(second.image()).faults()).isEmpty();
    }

    @Test
    void a_cache_of_the_target_has_no_step_of_other_stages() throws Exception {
        BuildResult first = build(to(layout(), false));
        Optional<String> one = bed.read(first, "one");
        Optional<String> two = bed.read(first, "two");
        forget();
        BuildResult second = build(from(layout()));

        assertThat(bed.heard.cached)
                .containsExactlyInAnyOrder("[1 1/3] COPY a /a", "[1 2/3] RUN cat /proc/sys/kernel/random/uuid >/two");
        assertThat(bed.read(second, "two")).isEqualTo(two);
        assertThat(bed.read(second, "one")).isPresent().isNotEqualTo(one);
    }

    @Test
    void what_has_changed_is_carried_out_and_what_comes_after_it() throws Exception {
        build(to(layout(), true));
        forget();
        bed.file("a", "another");
        BuildResult second = build(from(layout()));
        assertThat(bed.heard.cached).containsExactly("[one 1/1] RUN cat /proc/sys/kernel/random/uuid >/one");
        assertThat(bed.read(second, "a")).contains("another");
    }

    @Test
    void nothing_is_taken_of_a_build_without_cache() throws Exception {
        build(to(layout(), true));
        forget();
        BuildRequest request = bed.request(LINES).caches(from(layout()));
        bed.build(request.again(Set.of("one")));
        assertThat(bed.heard.cached)
                .doesNotContain("[one 1/1] RUN cat /proc/sys/kernel/random/uuid >/one")
                .contains("[1 1/3] COPY a /a");
    }

    @Test
    void a_layer_that_is_not_what_its_digest_says_is_a_warning_and_not_kept() throws Exception {
        build(to(layout(), true));
        forget();
        long damaged = 0;
        try (Stream<Path> blobs = Files.list(directory.resolve("cache/blobs/sha256"))) {
            for (Path blob : blobs.toList()) {
                byte[] bytes = Files.readAllBytes(blob);
                if (bytes[0] == 0x1f) { // gzip
                    bytes[bytes.length - 1] ^= 1;
                    Files.write(blob, bytes);
                    damaged++;
                }
            }
        }
        BuildResult second = build(from(layout()));

        assertThat(damaged).isEqualTo(3); // two steps make the same layer
        assertThat(bed.heard.cached).isEmpty();
        assertThat(bed.heard.warnings).hasSize(3).allMatch(warning -> warning.contains("not what its digest says"));
        assertThat(bed.images.check(second.image()).faults()).isEmpty();
    }

    @Test
    void a_layer_that_unpacks_to_something_else_is_a_warning_and_not_kept() throws Exception {
        build(to(layout(), true));
        forget();
        lie("\"diffId\":\"sha256:[0-9a-f]{8}", "\"diffId\":\"sha256:00000000");
        BuildResult second = build(from(layout()));

        assertThat(bed.heard.cached).isEmpty();
        assertThat(bed.heard.warnings).hasSize(3).allMatch(warning -> warning.contains("not what its digest says"));
        assertThat(bed.images.check(second.image()).faults()).isEmpty();
        build(BuildCaches.none());
        assertThat(bed.heard.cached).hasSize(4);
    }

    @Test
    void a_list_that_is_none_is_a_warning() throws Exception {
        build(to(layout(), true));
        forget();
        lie("\"created\":\"[^\"]*\"", "\"created\":7");
        build(from(layout(), new CachePlace.InDirectory(directory.resolve("absent"))));
        assertThat(bed.heard.cached).isEmpty();
        assertThat(bed.heard.warnings)
                .satisfiesExactly(
                        one -> assertThat(one).contains("its list of results is damaged"),
                        other -> assertThat(other).contains("cannot be opened as an OCI layout"));
    }

    /// Writes another list into the directory, whose digests are right.
    private void lie(String before, String after) throws IOException {
        Path blobs = directory.resolve("cache/blobs/sha256");
        Path index = directory.resolve("cache/index.json");
        String manifest = digests(Files.readString(index)).getFirst();
        String config = digests(Files.readString(blobs.resolve(manifest))).getFirst();
        String list = Files.readString(blobs.resolve(config));
        String other = list.replaceAll(before, after);
        assertThat(other).isNotEqualTo(list);
        String text = Files.readString(blobs.resolve(manifest))
                .replace(config, put(blobs, other))
                .replaceFirst("\"size\":\\d+", "\"size\":" + other.length());
        Files.writeString(
                index,
                Files.readString(index)
                        .replace(manifest, put(blobs, text))
                        .replaceFirst("\"size\":\\d+", "\"size\":" + text.length()));
    }

    private static String put(Path blobs, String text) throws IOException {
        String hex = Digest.of(text.getBytes(StandardCharsets.UTF_8)).hex();
        Files.writeString(blobs.resolve(hex), text);
        return hex;
    }

    private static List<String> digests(String json) {
        return Pattern.compile("sha256:([0-9a-f]{64})")
                .matcher(json)
                .results()
                .map(found -> found.group(1))
                .toList();
    }

    @Test
    @Tag("peers")
    void a_registry_keeps_a_cache_or_an_image_that_is_one() throws Exception {
        try (DockerRegistry registry = DockerRegistry.start(directory)) {
            ImageReference cache = ImageReference.parse(registry.host + "/team/cache:main");
            ImageReference name = ImageReference.parse(registry.host + "/team/app:1");
            var remote = new CachePlace.InRegistry(cache, RegistryLogins.none());
            BuildResult first = build(new BuildCaches(List.of(), List.of(new Export(remote, true)), true));
            bed.images.push(bed.images.tag(first.image(), name), RegistryLogins.none(), PullListener.none());
            Optional<String> two = bed.read(first, "two");
            forget();

            BuildResult second = build(new BuildCaches(List.of(remote), List.of(), true));
            assertThat(bed.heard.cached).hasSize(4);
            assertThat(second.id()).isEqualTo(first.id());
            forget();

            BuildResult third = build(from(new CachePlace.InRegistry(name, RegistryLogins.none())));
            assertThat(bed.heard.warnings).isEmpty();
            assertThat(bed.heard.cached)
                    .containsExactlyInAnyOrder(
                            "[1 1/3] COPY a /a", "[1 2/3] RUN cat /proc/sys/kernel/random/uuid >/two");
            assertThat(bed.read(third, "two")).isEqualTo(two);
            forget();

            bed.build(bed.request("FROM busybox:1", "RUN true")
                    .caches(from(new CachePlace.InRegistry(
                            ImageReference.parse(registry.host + "/team/none:1"), RegistryLogins.none()))));
            assertThat(bed.heard.warnings).singleElement().asString().contains("no result of a step is taken from");
        }
    }
}
