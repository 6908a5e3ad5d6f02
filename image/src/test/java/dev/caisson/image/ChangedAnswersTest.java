package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.error.CaissonException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Manifests, configurations, names and whole answers of a registry, changed at random: each is understood or refused
/// with a code. `-Dcaisson.test.changes=100000` tries more.
@Timeout(300)
class ChangedAnswersTest {
    private static final int CHANGES = Integer.getInteger("caisson.test.changes", 4000);
    private static final int PULLS = Math.max(60, CHANGES / 100);
    private static final List<String> PARTS = List.of(
            "\"",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "null",
            "-1",
            "9223372036854775808",
            "1e400",
            "\\u0000",
            "\\ud800",
            "\u0000",
            "sha256:",
            "/",
            "..",
            "@",
            "\r\n",
            "Location: file:///etc/passwd\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: chunked\r\n",
            "WWW-Authenticate: Bearer realm=\"",
            "HTTP/1.1 302 Found\r\n",
            "\"size\":",
            "true");

    private final SplittableRandom random = new SplittableRandom(20261129);

    private byte[] changed(byte[] original) {
        byte[] bytes = original;
        for (int times = 1 + random.nextInt(3); times > 0; times--) {
            bytes = changedOnce(bytes);
        }
        return bytes;
    }

    private byte[] changedOnce(byte[] bytes) {
        int at = random.nextInt(bytes.length + 1);
        int end = at + random.nextInt(Math.min(40, bytes.length - at) + 1);
        return switch (random.nextInt(4)) {
            case 0 -> { // a bit
                byte[] copy = bytes.clone();
                if (at < copy.length) {
                    copy[at] ^= (byte) (1 << random.nextInt(8));
                }
                yield copy;
            }
            case 1 -> joined(bytes, at, end, new byte[0]);
            case 2 -> joined(bytes, at, at, Arrays.copyOfRange(bytes, at, end));
            default ->
                joined(bytes, at, end, PARTS.get(random.nextInt(PARTS.size())).getBytes(StandardCharsets.UTF_8));
        };
    }

    private static byte[] joined(byte[] bytes, int at, int end, byte[] middle) {
        var out = new ByteArrayOutputStream();
        out.write(bytes, 0, at);
        out.writeBytes(middle);
        out.write(bytes, end, bytes.length - end);
        return out.toByteArray();
    }

    /// Returns how many were understood.
    private int tried(String type, byte[] original) {
        int understood = 0;
        for (int i = 0; i < CHANGES; i++) {
            byte[] bytes = changed(original);
            Throwable failure = catchThrowable(() -> {
                if (type.isEmpty()) {
                    PackedConfig.parse(bytes);
                } else {
                    ManifestDocument.parse(type, bytes);
                }
            });
            assertCoded(failure, new String(bytes, StandardCharsets.ISO_8859_1));
            understood += failure == null ? 1 : 0;
        }
        return understood;
    }

    private static void assertCoded(Throwable failure, String what) {
        assertThat(failure == null || failure instanceof CaissonException)
                .as("%s%n%s", failure, what)
                .isTrue();
    }

    @Test
    void documents_are_understood_or_refused_with_a_code() throws IOException {
        var image = new SampleImage("y");

        assertThat(tried(SampleImage.MANIFEST_TYPE, image.manifest)).isBetween(1, CHANGES - 1);
        assertThat(tried(SampleImage.INDEX_TYPE, image.index("amd64"))).isBetween(1, CHANGES - 1);
        assertThat(tried("", image.blob(image.config))).isBetween(1, CHANGES - 1);
    }

    @Test
    void a_name_is_refused_or_means_the_same_when_it_is_written_and_read_again() {
        var digest = "@sha256:" + "0f".repeat(32);
        int understood = 0;
        for (String original :
                List.of("debian:13", "127.0.0.1:5000/a/b-c__d.e:T_1", "ghcr.io/x/y" + digest, "[::1]:5/a:1")) {
            for (int i = 0; i < CHANGES; i++) {
                String text = new String(changed(original.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
                Throwable failure = catchThrowable(() -> ImageReference.parse(text));
                assertCoded(failure, text);
                if (failure == null) {
                    ImageReference once = ImageReference.parse(text);
                    assertThat(ImageReference.parse(once.toString())).as(text).isEqualTo(once);
                    understood++;
                }
            }
        }
        assertThat(understood).isBetween(1, 4 * CHANGES - 1);
    }

    @Test
    void answers_of_a_registry_give_the_image_or_a_code_and_no_damaged_image(@TempDir Path directory)
            throws IOException {
        var image = new SampleImage("y");
        int pulled = 0;
        try (ImageStore store = ImageStore.open(directory);
                var registry = new ScriptedRegistry((request, out) -> {
                    var answer = new ByteArrayOutputStream();
                    ScriptedRegistry.serving(image).answer(request, answer);
                    synchronized (random) {
                        boolean isChanged = random.nextInt(3) == 0;
                        out.write(isChanged ? changed(answer.toByteArray()) : answer.toByteArray());
                    }
                })) {
            var name = ImageReference.parse(registry.name() + "/app:1");
            for (int i = 0; i < PULLS; i++) {
                Throwable failure = catchThrowable(() -> store.pull(name, RegistryLogins.none(), PullListener.none()));
                assertCoded(failure, "pull " + i);
                pulled += failure == null ? 1 : 0;
                for (StoredImage one : store.images()) {
                    assertThat(store.check(one).faults()).as("pull %d", i).isEmpty();
                }
                store.remove(Set.copyOf(store.images()));
            }
        }
        assertThat(pulled).isBetween(1, PULLS - 1);
    }
}
