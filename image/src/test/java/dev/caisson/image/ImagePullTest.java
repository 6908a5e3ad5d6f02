package dev.caisson.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Layers of a pull are fetched beside each other, and what one of them ends with is what the pull ends with.
@Timeout(60)
class ImagePullTest {
    @TempDir
    private Path temporary;

    @Test
    void layers_are_fetched_beside_each_other() throws IOException {
        var image = new SampleImage("y");
        var asked = new CountDownLatch(2);
        var together = new AtomicInteger();
        ScriptedRegistry.Script serving = ScriptedRegistry.serving(image);
        try (var registry = new ScriptedRegistry((request, out) -> {
                    boolean isLayer = request.path().contains("/blobs/")
                            && !request.path().contains(image.config.hex());
                    if (isLayer && bothAreAsked(asked)) {
                        together.incrementAndGet();
                    }
                    serving.answer(request, out);
                });
                ImageStore store = ImageStore.open(temporary.resolve("store"))) {
            store.pull(ImageReference.parse(registry.name() + "/app:1"), RegistryLogins.none(), PullListener.none());
        }
        assertThat(together).hasValue(2);
    }

    private static boolean bothAreAsked(CountDownLatch asked) {
        asked.countDown();
        try {
            return asked.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    @Test
    void a_pull_ends_with_what_a_fetch_ended_with() {
        var mistaken = new IllegalStateException("x");
        assertThatThrownBy(() -> ImagePull.failure(mistaken)).isSameAs(mistaken);
        var broken = new StackOverflowError("x");
        assertThatThrownBy(() -> ImagePull.failure(broken)).isSameAs(broken);
        var cut = new IOException("cut");
        assertThat(ImagePull.failure(cut)).isSameAs(cut);
        var other = new InterruptedException("other");
        assertThat(ImagePull.failure(other)).hasCause(other);
        assertThat(ImagePull.failure(null)).hasNoCause().hasMessage("a download failed");
    }
}
