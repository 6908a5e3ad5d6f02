package dev.caisson.build;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.build.BuildCaches.Export;
import dev.caisson.image.CachePlace;
import dev.caisson.image.ImageReference;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.secret.SecretValue;
import dev.caisson.secret.ValueForm;
import dev.caisson.secret.ValueMatcher;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pushes to a registry an image, and the cache of its build, whose steps had a secret: the value is in nothing
/// that goes over the network, nor in what is compressed there.
@Tag("root")
@Tag("peers")
@Timeout(value = 180, unit = TimeUnit.SECONDS)
class SecretTrafficTest {
    @TempDir
    private Path directory;

    private final SecretValue value = SecretValue.generate(43);
    private final ValueMatcher matcher = ValueMatcher.of(List.of(value));
    private BuildBed bed;

    @BeforeEach
    void open() throws IOException {
        bed = new BuildBed(directory, "traffic");
    }

    @AfterEach
    void close() throws IOException {
        bed.close();
        matcher.close();
        value.close();
    }

    private Set<ValueForm> pushed(String run) throws Exception {
        BuildRequest request = bed.request("FROM busybox:1", "RUN --mount=type=secret,id=t " + run);
        try (DockerRegistry registry = DockerRegistry.start(directory);
                var relay = new RecordingRelay(registry.host)) {
            var cache = new CachePlace.InRegistry(
                    ImageReference.parse(relay.host + "/team/cache:main"), RegistryLogins.none());
            BuildResult built = bed.build(new BuildRequest(
                            request.dockerfile(),
                            request.context(),
                            request.ignore(),
                            request.names(),
                            request.arguments(),
                            request.target(),
                            request.labels(),
                            Map.of("t", new SecretSource.Content(value.copy())),
                            request.network(),
                            request.cached(),
                            request.pulled(),
                            request.latest(),
                            request.logins())
                    .caches(new BuildCaches(List.of(), List.of(new Export(cache, true)), true)));
            ImageReference name = ImageReference.parse(relay.host + "/team/app:1");
            bed.images.push(bed.images.tag(built.image(), name), RegistryLogins.none(), PullListener.none());
            var found = EnumSet.noneOf(ValueForm.class);
            List<byte[]> sent = relay.sent();
            assertThat(sent).as("a push of a layer").anyMatch(bytes -> bytes.length > 512);
            for (byte[] bytes : sent) {
                int _ = matcher.search(bytes, 0, bytes.length, (_, form, _, _) -> found.add(form));
            }
            return found;
        }
    }

    @Test
    void a_push_has_nothing_of_a_secret_that_steps_have_read() throws Exception {
        assertThat(pushed("cat /run/secrets/t; base64 /run/secrets/t; wc -c </run/secrets/t >/count"))
                .isEmpty();
    }

    @Test
    void a_layer_that_a_step_has_written_it_into_is_found_by_the_same_search() throws Exception {
        assertThat(pushed("cp /run/secrets/t /leak")).isNotEmpty();
    }
}
