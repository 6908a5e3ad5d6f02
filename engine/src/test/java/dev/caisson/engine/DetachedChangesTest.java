package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WritableLayer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What a container has changed of its image's files.
class DetachedChangesTest extends BusyboxEngine {
    private final List<DetachedContainer> all = new ArrayList<>();

    @BeforeEach
    void fill() throws Exception {
        Path srv = root.resolve("srv");
        Files.createDirectories(srv.resolve("kept/deep"));
        Files.writeString(srv.resolve("kept/deep/file"), "a");
        Files.createDirectories(srv.resolve("gone/deep"));
        Files.writeString(srv.resolve("gone/deep/file"), "a");
        Files.createDirectories(srv.resolve("remade"));
        Files.writeString(srv.resolve("remade/old"), "a");
        Files.writeString(srv.resolve("file"), "a");
        Files.writeString(srv.resolve("replaced"), "a");
        Files.writeString(srv.resolve("other"), "a");
        Files.writeString(srv.resolve("pinned"), "a");
        Files.setLastModifiedTime(srv.resolve("pinned"), FileTime.fromMillis(1_000_000_000_000L));
    }

    @AfterEach
    void remove() throws Exception {
        for (DetachedContainer made : all) {
            made.remove(true);
        }
    }

    private DetachedContainer create(ContainerSpec spec) throws InterruptedException {
        DetachedContainer made = engine.create(spec, DetachedOptions.STANDARD);
        all.add(made);
        return made;
    }

    private static List<String> changes(DetachedContainer made) throws InterruptedException {
        return made.changes().stream()
                .map(change -> change.kind().name().charAt(0) + " " + change.path())
                .toList();
    }

    private static void run(DetachedContainer made, String script) throws InterruptedException {
        made.start();
        assertThat(made.await().orElseThrow().status()).as(script).isZero();
    }

    @ParameterizedTest
    @EnumSource(WritableLayer.Place.class)
    void what_was_added_changed_and_deleted_is_listed_as_docker_lists_it(WritableLayer.Place place) throws Exception {
        String script =
                "cd /srv; echo b >kept/deep/file; busybox rm -r gone; busybox rm -r remade; mkdir remade; : >remade/new;"
                        + " busybox chmod 600 other; busybox mv replaced moved; echo c >temp; busybox mv temp file;"
                        + " mkdir -p /new/deep; : >/new/deep/file; busybox ln -s x /new/link; : >/data/unseen; : >/dev/shm/unseen;"
                        + " echo x >>/etc/hosts; echo b >/srv/pinned; busybox touch -d @1000000000 /srv/pinned";
        DetachedContainer made = create(busybox("sh", "-c", script)
                .writableLayer(new WritableLayer(Optional.of(Bytes.mebibytes(8)), OptionalLong.empty(), place))
                .mount(new Mount.Tmpfs(InRootPath.parse("/data"), Bytes.mebibytes(1), 0755, false, false)));
        assertThat(changes(made)).isEmpty();

        run(made, script);

        assertThat(changes(made))
                .containsExactly(
                        "A /new",
                        "A /new/deep",
                        "A /new/deep/file",
                        "A /new/link",
                        "C /srv",
                        "C /srv/file",
                        "D /srv/gone",
                        "C /srv/kept/deep/file",
                        "A /srv/moved",
                        "C /srv/other",
                        "C /srv/pinned",
                        "C /srv/remade",
                        "A /srv/remade/new",
                        "D /srv/remade/old",
                        "D /srv/replaced");
    }

    @Test
    void a_file_that_was_copied_in_before_the_start_is_one() throws Exception {
        DetachedContainer made = create(busybox("true"));
        try (ContainerFiles files = engine.files(made.id().value())) {
            files.write("/srv/mine", new byte[1]);
        }
        assertThat(changes(made)).containsExactly("C /srv", "A /srv/mine");
    }

    @Test
    void a_link_that_leads_to_the_host_is_listed_and_not_followed() throws Exception {
        String script = "busybox rm -r /srv/kept; busybox ln -s /proc/1/root/etc /srv/kept; busybox mkfifo /srv/pipe";
        DetachedContainer made = create(busybox("sh", "-c", script));
        run(made, script);
        assertThat(changes(made)).containsExactly("C /srv", "C /srv/kept", "A /srv/pipe");
    }

    @Test
    void a_tree_that_is_too_deep_is_refused() throws Exception {
        String script = "cd /srv; i=0; while [ $i -lt 150 ]; do mkdir d; cd d; i=$((i+1)); done";
        DetachedContainer made = create(busybox("sh", "-c", script));
        run(made, script);
        assertThat(catchThrowable(made::changes))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("FILE_TREE_TOO_LARGE"));
    }
}
