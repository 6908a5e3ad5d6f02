package dev.caisson.image;

import static dev.caisson.image.ScriptedRegistry.ok;
import static dev.caisson.image.ScriptedRegistry.plain;
import static dev.caisson.image.ScriptedRegistry.serving;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import dev.caisson.image.registry.Credentials;
import dev.caisson.image.registry.RegistrySettings;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MirrorTest {
    @TempDir
    Path directory;

    @SuppressWarnings("NullAway.Init") // set before each test
    private SampleImage image;

    @SuppressWarnings("NullAway.Init") // set before each test
    private Fd parent;

    @SuppressWarnings("NullAway.Init") // set before each test
    private ContentStore store;

    private final List<String> passedOver = new ArrayList<>();
    private Credentials credentials = Credentials.none();

    @BeforeEach
    void open() throws IOException {
        image = new SampleImage("y");
        Path real = directory.toRealPath();
        parent = FileSystem.open(real.toString(), FileSystem.O_RDONLY | FileSystem.O_DIRECTORY);
        store = ContentStore.open(real, parent);
    }

    @AfterEach
    void close() {
        store.close();
        parent.close();
    }

    private StoredImage pull(ScriptedRegistry registry, String... mirrors) throws IOException {
        var reference = ImageReference.parse(registry.name() + "/app:1");
        var listener = new PullListener() {
            @Override
            public void passedOver(String mirror, String sentence) {
                passedOver.add(mirror);
            }
        };
        var settings = new RegistrySettings(Map.of(registry.name(), List.of(mirrors)), Set.of());
        return ImagePull.pull(store, reference, Platform.running(), credentials, listener, settings);
    }

    @Test
    void an_image_without_an_index_is_refused_for_another_platform_than_its_configuration_has() throws IOException {
        try (var registry = new ScriptedRegistry(serving(image))) {
            var reference = ImageReference.parse(registry.name() + "/app:1");
            assertThatThrownBy(() -> ImagePull.pull(
                            store,
                            reference,
                            Platform.parse("linux/s390x"),
                            credentials,
                            PullListener.none(),
                            RegistrySettings.ofHost()))
                    .hasMessageContaining("is for \"" + Platform.running() + "\", not for linux/s390x");
            assertThat(store.images()).isEmpty();
        }
    }

    @Test
    void a_mirror_is_asked_in_place_of_the_registry_whose_name_the_image_keeps() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(out, "500 Internal Server Error", ""));
                var mirror = new ScriptedRegistry(serving(image))) {
            StoredImage pulled = pull(registry, mirror.name());

            assertThat(pulled.manifest()).isEqualTo(image.digest());
            assertThat(pulled.repository()).isEqualTo(registry.name() + "/app");
            assertThat(registry.requests).isEmpty();
            assertThat(passedOver).isEmpty();
        }
    }

    @Test
    void what_mirrors_do_not_give_or_give_wrongly_comes_from_the_next_and_the_registry_itself() throws IOException {
        byte[] changed = image.blob(image.upper).clone();
        changed[0] ^= 1;
        try (var registry = new ScriptedRegistry(serving(image));
                var missing = new ScriptedRegistry((_, out) -> plain(out, "404 Not Found", ""));
                var page = new ScriptedRegistry((_, out) -> ok(out, "text/html", new byte[10]));
                var wrong = new ScriptedRegistry((request, out) -> {
                    if (request.path().endsWith(image.upper.toString())) {
                        ok(out, "application/octet-stream", changed);
                    } else {
                        serving(image).answer(request, out);
                    }
                })) {
            StoredImage pulled = pull(registry, "127.0.0.1:1", missing.name(), page.name(), wrong.name());

            assertThat(pulled.manifest()).isEqualTo(image.digest());
            assertThat(passedOver).containsExactly("127.0.0.1:1", missing.name(), page.name(), wrong.name());
        }
    }

    @Test
    void the_error_is_the_registrys_own_and_has_those_of_the_mirrors() throws IOException {
        try (var registry = new ScriptedRegistry((_, out) -> plain(out, "404 Not Found", ""));
                var mirror = new ScriptedRegistry((_, out) -> plain(out, "403 Forbidden", ""))) {
            var failure = catchThrowableOfType(CaissonException.class, () -> pull(registry, mirror.name()));

            assertThat(failure.code()).isEqualTo("REGISTRY_NOT_FOUND");
            assertThat(failure.getSuppressed()).hasSize(1);
            assertThat(store.images()).isEmpty();
        }
    }

    @Test
    void a_login_for_the_registry_goes_to_no_mirror() throws IOException {
        try (var registry = new ScriptedRegistry(serving(image));
                var mirror = new ScriptedRegistry(
                        (_, out) -> plain(out, "401 Unauthorized", "", "WWW-Authenticate: Basic realm=\"x\""))) {
            String both = Base64.getEncoder().encodeToString("me:hush".getBytes(StandardCharsets.UTF_8));
            Path file = directory.resolve("config.json");
            Files.writeString(file, "{\"auths\":{\"" + registry.name() + "\":{\"auth\":\"" + both + "\"}}}");
            credentials = Credentials.of(file);

            assertThat(pull(registry, mirror.name()).manifest()).isEqualTo(image.digest());
            assertThat(mirror.requests).isNotEmpty().noneMatch(ScriptedRegistry.Request::hasAuthorization);
            assertThat(passedOver).containsExactly(mirror.name());
        }
    }
}
