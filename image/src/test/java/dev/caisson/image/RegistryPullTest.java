package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caisson.error.CaissonException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Pulls from the registry of the distribution project (Debian package `docker-registry`), to which skopeo pushes.
@Tag("root")
@Tag("peers")
@Timeout(120)
class RegistryPullTest {
    @TempDir
    Path temporary;

    private @Nullable Process registry;
    private String host = "";

    private void start(String... settings) throws IOException, InterruptedException {
        int port;
        try (var free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        host = "127.0.0.1:" + port;
        Path file = temporary.resolve("registry.yml");
        Files.writeString(
                file,
                "version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: " + temporary
                        + "/registry}}\nhttp: {addr: \"" + host + "\"}\n" + String.join("\n", settings) + "\n");
        registry = new ProcessBuilder("docker-registry", "serve", file.toString())
                .redirectErrorStream(true)
                .redirectOutput(temporary.resolve("registry.log").toFile())
                .start();
        for (int tries = 0; tries < 200; tries++) {
            try (var _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                Thread.sleep(50);
            }
        }
        throw new AssertionError("no registry: " + Files.readString(temporary.resolve("registry.log")));
    }

    @AfterEach
    void end() throws InterruptedException {
        if (registry != null) {
            registry.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        }
    }

    private void push(SampleImage image, String name, String... options) throws IOException, InterruptedException {
        Path layout = image.write(temporary.resolve("layout-" + image.digest().hex()));
        var command = new ArrayList<>(
                List.of("skopeo", "--insecure-policy", "copy", "-q", "--dest-tls-verify=false", "--preserve-digests"));
        command.addAll(List.of(options));
        command.addAll(List.of("oci:" + layout, "docker://" + host + "/" + name));
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
    }

    private ImageReference reference(String name) {
        return ImageReference.parse(host + "/" + name);
    }

    private static StoredImage pull(ImageStore store, ImageReference reference) {
        return store.pull(reference, RegistryLogins.none(), PullListener.none());
    }

    private ImageStore store() {
        return ImageStore.open(temporary.resolve("store"));
    }

    @Test
    void a_pulled_image_unpacks_to_the_tree_that_was_pushed() throws Exception {
        start();
        var image = new SampleImage("y");
        push(image, "app:1");
        try (ImageStore store = store()) {
            StoredImage pulled = pull(store, reference("app:1"));
            assertThat(pulled.manifest()).isEqualTo(image.digest());
            assertThat(store.describe(pulled).id()).isEqualTo(image.config);

            Rootfs rootfs = store.resolve(new Image.Named(reference("app:1")), ProgressListener.none());
            try (ImageTree tree = ImageTree.of(rootfs)) {
                Path root = Path.of("/proc/self/fd/" + tree.root().number());
                assertThat(root.resolve("new")).hasContent("y");
                assertThat(root.resolve("gone")).doesNotExist();
            }
            assertThat(rootfs.config().cmd()).containsExactly("run");
            Rootfs byDigest =
                    store.resolve(new Image.Named(reference("app@" + image.digest())), ProgressListener.none());
            assertThat(byDigest.layers()).isEqualTo(rootfs.layers());
        }
    }

    @Test
    void what_is_there_is_not_fetched_again_and_a_moved_tag_leaves_the_old_image_without_name() throws Exception {
        start();
        var first = new SampleImage("1");
        var second = new SampleImage("2");
        push(first, "app:1");
        try (ImageStore store = store()) {
            pull(store, reference("app:1"));
            push(second, "app:1");
            var fetched = new ArrayList<Integer>();
            store.pull(reference("app:1"), RegistryLogins.none(), new PullListener() {
                @Override
                public void layer(int number, Digest digest, long done, long size, boolean isPresent) {
                    if (!isPresent) {
                        fetched.add(number);
                    }
                }
            });

            assertThat(fetched).isNotEmpty().containsOnly(1);
            assertThat(store.images()).hasSize(2);
            assertThat(store.find(reference("app:1")).orElseThrow().manifest()).isEqualTo(second.digest());
            assertThat(store.find(reference("app@" + first.digest()))).isPresent();

            store.remove(Set.copyOf(store.images()));
            assertThat(store.images()).isEmpty();
            try (Stream<Path> blobs = Files.list(temporary.resolve("store/content/blobs/sha256"))) {
                assertThat(blobs).isEmpty();
            }
        }
    }

    @Test
    void eight_pulls_at_once_end_in_one_image() throws Exception {
        start();
        var image = new SampleImage("y");
        push(image, "app:1");
        try (var threads = Executors.newFixedThreadPool(8)) {
            Callable<StoredImage> one = () -> {
                try (ImageStore store = store()) {
                    return pull(store, reference("app:1"));
                }
            };
            for (var done : threads.invokeAll(Collections.nCopies(8, one))) {
                assertThat(done.get().manifest()).isEqualTo(image.digest());
            }
        }
        try (ImageStore store = store()) {
            assertThat(store.images()).hasSize(1);
        }
    }

    @Test
    void a_tag_or_repository_that_is_not_there_is_told() throws Exception {
        start();
        push(new SampleImage("y"), "app:1");
        try (ImageStore store = store()) {
            for (String name : List.of("app:2", "none:1")) {
                var refused = catchThrowableOfType(CaissonException.class, () -> pull(store, reference(name)));
                assertThat(refused.code()).as(name).isEqualTo("REGISTRY_NOT_FOUND");
            }
        }
    }

    @Test
    void a_login_of_docker_s_configuration_is_used_and_a_wrong_one_refused() throws Exception {
        Path users = temporary.resolve("htpasswd");
        var hash = new ProcessBuilder("htpasswd", "-Bbn", "me", "hush")
                .redirectOutput(users.toFile())
                .start();
        assertThat(hash.waitFor()).isZero();
        start("auth: {htpasswd: {realm: test, path: " + users + "}}");
        var image = new SampleImage("y");
        push(image, "app:1", "--dest-creds", "me:hush");
        try (ImageStore store = store()) {
            var without = catchThrowableOfType(CaissonException.class, () -> pull(store, reference("app:1")));
            assertThat(without.code()).isEqualTo("REGISTRY_UNAUTHORIZED");
            var wrong = catchThrowableOfType(
                    CaissonException.class,
                    () -> store.pull(reference("app:1"), login("me:mistaken"), PullListener.none()));
            assertThat(wrong.code()).isEqualTo("REGISTRY_UNAUTHORIZED");
            assertThat(wrong.sentence()).doesNotContain("mistaken");

            assertThat(store.pull(reference("app:1"), login("me:hush"), PullListener.none())
                            .manifest())
                    .isEqualTo(image.digest());
        }
    }

    private RegistryLogins login(String both) throws IOException {
        String encoded = Base64.getEncoder().encodeToString(both.getBytes(StandardCharsets.UTF_8));
        Path file = temporary.resolve("config.json");
        Files.writeString(file, "{\"auths\":{\"" + host + "\":{\"auth\":\"" + encoded + "\"}}}");
        return RegistryLogins.of(file);
    }
}
