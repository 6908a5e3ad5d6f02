package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.VolumeName;
import dev.caisson.spec.VolumeSpec;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.state.HeldDirectory;
import dev.caisson.state.SharedDirectories;
import dev.caisson.state.SharedKind;
import dev.caisson.state.State;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Volumes: what containers leave for those that come after them.
class VolumeTest extends BusyboxEngine {
    private final List<DetachedContainer> made = new ArrayList<>();

    @BeforeEach
    void an_image_with_files() throws IOException {
        Path srv = root.resolve("srv");
        Files.writeString(srv.resolve("config"), "of the image\n");
        Files.createSymbolicLink(srv.resolve("out"), Path.of("/etc/hostname"));
        Files.createDirectories(srv.resolve("deep/er"));
        Files.createLink(srv.resolve("deep/same"), srv.resolve("config"));
        Files.setAttribute(srv.resolve("deep"), "unix:uid", 7);
        Files.setAttribute(srv.resolve("deep"), "unix:mode", 0750);
        Files.setAttribute(srv, "unix:uid", 1000);
        Files.setAttribute(srv, "unix:mode", 01770);
        Files.createSymbolicLink(root.resolve("linked"), Path.of("/srv"));
        Files.createSymbolicLink(root.resolve("climbing"), Path.of("/../../etc"));
    }

    @AfterEach
    void nothing_is_left() throws Exception {
        for (DetachedContainer container : made) {
            container.removeWithVolumes(true);
        }
        engine.volumes().prune(_ -> true);
        assertThat(engine.volumes().list()).isEmpty();
        assertThat(directories()).isEmpty();
    }

    private static List<String> directories() throws IOException {
        Path all = own();
        if (!Files.exists(all)) {
            return List.of();
        }
        try (Stream<Path> found = Files.list(all)) {
            return found.map(Path::toString).toList();
        }
    }

    private static Path own() {
        return OPTIONS.data().resolve("volumes").resolve(State.lastingName(OPTIONS.state()));
    }

    private static Mount named(String name, String target) {
        return Mount.Volume.of(name, target);
    }

    private RunResult sh(String script, Mount... mounts) throws InterruptedException {
        ContainerSpec spec = busybox("sh", "-c", script);
        for (Mount mount : mounts) {
            spec = spec.mount(mount);
        }
        return engine.run(spec);
    }

    private DetachedContainer create(String script, DetachedOptions options, Mount... mounts)
            throws InterruptedException {
        ContainerSpec spec = busybox("sh", "-c", script);
        for (Mount mount : mounts) {
            spec = spec.mount(mount);
        }
        DetachedContainer container = engine.create(spec, options);
        made.add(container);
        return container;
    }

    private static void assertCode(String code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    @Test
    void one_is_made_at_its_first_use_bounded_and_keeps_owners_for_containers_with_other_ids() throws Exception {
        assertThat(sh("touch /data/a; chown 5:6 /data/a", named("data", "/data"))
                        .verdict())
                .isEqualTo(Verdict.OK);

        assertThat(sh("stat -c '%u:%g' /data/a", named("data", "/data")).stdout())
                .isEqualTo("5:6\n");
        Volume data = engine.volumes().get("data");
        assertThat(data.anonymous()).isFalse();
        assertThat(data.sized()).isFalse();
        assertThat(data.size()).isLessThanOrEqualTo(Bytes.gibibytes(8));
        assertThat(sh("echo x >/data/b", new Mount.Volume(Optional.of(data.name()), InRootPath.of("data"), true, true))
                        .stderr())
                .contains("Read-only file system");
    }

    @Test
    void its_size_holds_whoever_writes() throws Exception {
        engine.volumes().create(VolumeSpec.named("small").size("16m").inodes(64).label("team", "core"));

        RunResult full = sh("dd if=/dev/zero of=/d/fill bs=1M count=32 2>&1; stat -c %s /d/fill", named("small", "/d"));

        assertThat(full.stdout()).contains("No space left on device");
        VolumeUse use = engine.volumes().use(new VolumeName("small"));
        assertThat(use.used()).isLessThanOrEqualTo(Bytes.mebibytes(16));
        assertThat(engine.volumes().get("small").labels()).containsEntry("team", "core");
        assertCode(
                "STORAGE_FULL",
                () -> engine.volumes().create(VolumeSpec.named("vast").size(Bytes.gibibytes(1 << 20))));
        assertCode("VOLUME_EXISTS", () -> engine.volumes().create(VolumeSpec.named("small")));
    }

    @Test
    void an_empty_one_gets_what_the_image_has_there_by_its_own_links_alone() throws Exception {
        String look = "cd /v; stat -c '%n %u %a' . deep; stat -c %h config; cat config deep/same; ls";
        String copied = ". 1000 1770\ndeep 7 750\n2\nof the image\nof the image\nconfig\ndeep\nout\n";

        assertThat(sh(
                                "cd /srv; stat -c '%n %u %a' . deep; stat -c %h config; cat config deep/same; ls",
                                named("one", "/srv"))
                        .stdout())
                .isEqualTo(copied);
        assertThat(sh(look, named("one", "/v")).stdout()).isEqualTo(copied);
        // The image's link to the same directory is followed in the image, one that climbs ends there.
        assertThat(sh("cat /srv/config", named("two", "/linked")).stdout()).isEqualTo("of the image\n");
        assertThat(sh("ls /etc", named("three", "/climbing")).stdout()).doesNotContain("passwd");
        assertThat(sh(
                                "ls /srv",
                                new Mount.Volume(
                                        Optional.of(new VolumeName("four")), InRootPath.of("srv"), false, false))
                        .stdout())
                .isEmpty();
        // One that holds something is left as it is.
        sh("touch /x/own", named("five", "/x"));
        assertThat(sh("ls /srv", named("five", "/srv")).stdout()).isEqualTo("own\n");
    }

    @Test
    void what_does_not_fit_is_refused_and_the_next_container_finds_it_empty() throws Exception {
        engine.volumes().create(VolumeSpec.named("tiny").size("16m"));
        Path big = root.resolve("srv/big");
        try (var file = new RandomAccessFile(big.toFile(), "rw")) {
            file.setLength(1L << 40); // all of it a hole
        }

        assertCode("VOLUME_COPY", () -> sh("true", named("tiny", "/srv")));

        Files.delete(big);
        assertThat(sh("ls /srv", named("tiny", "/srv")).stdout()).isEqualTo("config\ndeep\nout\n");
    }

    @Test
    void a_fill_that_was_cut_off_is_begun_again() throws Exception {
        engine.volumes().create(VolumeSpec.named("cut").size("16m"));
        sh("touch /v/half", new Mount.Volume(Optional.of(new VolumeName("cut")), InRootPath.of("v"), false, false));
        Path own = own().resolve("cut");
        Files.createFile(own.resolve("filling"));

        assertThat(sh("ls /srv", named("cut", "/srv")).stdout()).isEqualTo("config\ndeep\nout\n");
        assertThat(own.resolve("filling")).doesNotExist();
        assertThat(own.resolve("unused")).doesNotExist();
    }

    @Test
    void of_several_that_come_at_once_one_fills_it_and_the_others_wait() throws Exception {
        engine.volumes().create(VolumeSpec.named("race").size("16m"));
        var directory = new SharedDirectories(OPTIONS.data(), OPTIONS.state(), SharedKind.VOLUME);
        var fills = new AtomicInteger();
        Optional<HeldDirectory.Filling> filling = Optional.of((root, _) -> {
            fills.incrementAndGet();
            FileSystem.makeDirectory(root, "made", 0700);
        });

        var all = new ArrayList<CompletableFuture<HeldDirectory>>();
        for (int i = 0; i < 4; i++) {
            all.add(CompletableFuture.supplyAsync(() -> directory.hold(new VolumeName("race"), filling)));
        }
        for (CompletableFuture<HeldDirectory> one : all) {
            HeldDirectory held = one.get();
            try (var mount = held.mount()) {
                assertThat(mount.number()).isPositive();
            }
        }
        assertThat(fills).hasValue(1);
        assertCode("VOLUME_IN_USE", () -> engine.volumes().remove(new VolumeName("race")));
        for (CompletableFuture<HeldDirectory> one : all) {
            one.get().close();
        }
    }

    @Test
    void an_unnamed_one_goes_with_a_container_that_ends_with_its_command() throws Exception {
        assertThat(sh("touch /data/x; ls /data", Mount.Volume.unnamed("/data")).stdout())
                .isEqualTo("x\n");

        assertThat(engine.volumes().list()).isEmpty();
        assertThat(directories()).isEmpty();
    }

    @Test
    void one_that_a_container_has_is_not_removed_before_it() throws Exception {
        DetachedContainer box = create("true", DetachedOptions.STANDARD, named("kept", "/data"));

        assertCode("VOLUME_IN_USE", () -> engine.volumes().remove(new VolumeName("kept")));
        assertThat(engine.volumes().prune(_ -> true)).isEmpty();
        assertThat(engine.volumes().use(new VolumeName("kept")).containers()).containsExactly(box.name());

        box.removeWithVolumes(true);
        made.clear();
        engine.volumes().remove(new VolumeName("kept")); // it has a name, so it stayed
    }

    @Test
    void unnamed_ones_of_a_container_go_with_it_only_when_they_are_asked_to() throws Exception {
        DetachedContainer first = create("true", DetachedOptions.STANDARD, Mount.Volume.unnamed("/data"));
        Volume volume = engine.volumes().list().getFirst();
        assertThat(volume.anonymous()).isTrue();
        DetachedContainer second = create("true", DetachedOptions.STANDARD, volume.at("/again"));

        first.removeWithVolumes(true);
        assertThat(engine.volumes().list()).containsExactly(volume);
        second.remove(true);
        assertThat(engine.volumes().list()).containsExactly(volume);
        made.clear();

        create("true", DetachedOptions.STANDARD, Mount.Volume.unnamed("/data")).removeWithVolumes(true);
        made.clear();
        assertThat(engine.volumes().list()).containsExactly(volume);
    }

    @Test
    void a_container_that_cannot_be_made_leaves_none() {
        assertThatThrownBy(() -> create(
                        "true",
                        DetachedOptions.STANDARD,
                        Mount.Volume.unnamed("/data"),
                        new Mount.Workspace(new WorkspaceName("nosuch"), InRootPath.of("w"), false)))
                .hasMessageContaining("nosuch");

        assertThat(engine.volumes().list()).isEmpty();
    }

    @Test
    void bad_names_and_bounds_are_refused() {
        assertCode("ARGUMENT_INVALID", () -> VolumeSpec.named("x"));
        assertCode("ARGUMENT_INVALID", () -> VolumeSpec.named("../x"));
        assertCode("ARGUMENT_INVALID", () -> VolumeSpec.named("xx").size("1m"));
        assertCode("ARGUMENT_INVALID", () -> VolumeSpec.named("xx").inodes(1));
        assertCode("VOLUME_UNKNOWN", () -> engine.volumes().get("nosuch"));
    }
}
