package dev.caisson.launch;

import static dev.caisson.launch.ScriptedZygote.expected;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.InRootPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The descriptors that are made once for any number of starts: for which slot, which are mounts, and what is left
/// open.
@Tag("root")
@Timeout(60)
class PartsTest extends LaunchBed {
    private final List<Fd> answers = new ArrayList<>();

    private void answer(int times) {
        IntStream.range(0, times).forEach(_ -> {
            Fd given = scripted.something();
            answers.add(given);
            scripted.answer(given);
        });
    }

    private Parts make(LaunchPlan plan, Launcher.Layers layers, Fd... shared) {
        return Parts.make(scripted.zygote, plan, layers, List.of(shared), group, List.of(SECRET));
    }

    private static Parts.Part part(Parts parts, int slot) {
        return parts.all().stream()
                .filter(part -> part.slot() == slot)
                .findFirst()
                .orElseThrow();
    }

    private static Map<String, Object> file(Parts parts, int slot) {
        return OpenFiles.file(part(parts, slot).fd());
    }

    @Test
    void plan_groups_binds_and_the_root_are_made_and_streams_are_not() {
        List<SlotSource> slots =
                slots(new SlotSource.Stream(0), new SlotSource.Bind(0, source, true), new SlotSource.Stream(1));
        LaunchPlan plan = plan(slots);
        int last = slots.size() - 1;
        int bind = last - 2;
        answer(1);

        Parts parts = make(plan, layers());

        assertThat(OpenFiles.count(layerFile)).isEqualTo(1);
        try (ScriptedZygote.Request asked = scripted.asked(expected(3, 1)
                .putShort(24, (short) 2)
                .putShort(26, (short) 1)
                .putShort(28, (short) 1)
                .putLong(32, 1L << 20)
                .putLong(40, 9))) {
            assertThat(asked.files()).containsExactly(layerFile);
        }
        assertPlan(part(parts, 0).fd(), plan, PlanCodec.NO_PAUSE, List.of(SECRET));
        assertThat(file(parts, bind)).isEqualTo(sourceFile);
        assertThat(file(parts, last)).isEqualTo(OpenFiles.file(answers.getFirst()));
        if (lastJoin() >= 0) {
            assertThat(file(parts, 2)).isEqualTo(tasks());
            assertThat(part(parts, 2).mount()).isFalse();
            assertThat(OpenFiles.count(tasks())).isEqualTo(1);
        }
        assertThat(parts.all()).hasSize(lastJoin() >= 0 ? 4 : 3);
        assertThat(parts.all().getFirst().slot()).as("the root").isEqualTo(last);
        assertThat(part(parts, 0).mount()).isFalse();
        assertThat(part(parts, bind).mount()).isTrue();
        assertThat(part(parts, last).mount()).isTrue();

        parts.close();
        assertNothingOpen();
        assertThat(parts.all()).noneMatch(part -> part.fd().isOpen());
    }

    private void assertNothingOpen() {
        assertThat(OpenFiles.count(sourceFile)).isZero();
        for (Fd each : answers) {
            assertThat(OpenFiles.count(OpenFiles.file(each))).isEqualTo(1);
        }
        if (lastJoin() >= 0) {
            assertThat(OpenFiles.count(tasks())).isZero();
        }
    }

    @Test
    void covers_images_volumes_secrets_and_devices_are_mounts() {
        LaunchPlan plan = plan(List.of(
                new SlotSource.Cover(0, source),
                volume(1),
                new SlotSource.Secrets(0, List.of()),
                new SlotSource.ImageFiles(1, "img", InRootPath.of("")),
                device(),
                new SlotSource.Upper(LayerMedium.MEMORY),
                new SlotSource.Root()));
        answer(4);
        Fd secrets = scripted.something();
        Fd volume = detached();
        Fd upper = scripted.something();
        var layers = new Launcher.Layers(
                List.of(open(layer)), userNamespace, Optional.of(upper), List.of(List.of(), List.of(open(layer))));

        Parts parts = make(plan, layers, secrets, volume);

        try (ScriptedZygote.Request asked = scripted.asked(
                expected(3, 2).putShort(24, (short) 3).putShort(26, (short) 1).putShort(28, (short) 1))) {
            assertThat(asked.files()).containsExactly(layerFile, OpenFiles.file(upper));
        }
        assertCover(sourceFile);
        assertCover(layerFile);
        try (ScriptedZygote.Request asked = scripted.asked(expected(4, 1))) {
            assertThat(asked.files()).containsExactly(OpenFiles.file(path.resolve("node")));
        }
        assertThat(file(parts, 6)).isEqualTo(OpenFiles.file(answers.get(0)));
        assertThat(file(parts, 0)).isEqualTo(OpenFiles.file(answers.get(1)));
        assertThat(file(parts, 3)).isEqualTo(OpenFiles.file(answers.get(2)));
        assertThat(file(parts, 4)).isEqualTo(OpenFiles.file(answers.get(3)));
        assertThat(file(parts, 1)).isEqualTo(sourceFile);
        assertThat(file(parts, 2)).isEqualTo(OpenFiles.file(secrets));
        assertThat(parts.all()).hasSize(6).allMatch(Parts.Part::mount);
        assertThatThrownBy(() -> FileSystem.makeDirectory(part(parts, 1).fd(), "new", 0700))
                .hasMessageContaining("EROFS");

        long sources = OpenFiles.count(sourceFile);
        parts.close();
        assertThat(OpenFiles.count(sourceFile)).isEqualTo(sources - 1);
        assertThat(volume.isOpen() && secrets.isOpen() && upper.isOpen()).isTrue();
        for (Fd each : List.of(answers.get(0), answers.get(1), answers.get(2), answers.get(3), secrets, upper)) {
            assertThat(OpenFiles.count(OpenFiles.file(each))).isEqualTo(1);
        }
    }

    private void assertCover(Map<String, Object> below) {
        try (ScriptedZygote.Request asked =
                scripted.asked(expected(3, 1).putShort(24, (short) 4).putShort(28, (short) 1))) {
            assertThat(asked.files()).containsExactly(below);
        }
    }

    @Test
    void what_cannot_be_made_whole_is_closed() {
        List<SlotSource> slots = slots(new SlotSource.Bind(0, source, true), device());
        answer(1);
        scripted.refuse(6, Errno.EPERM);
        assertThatThrownBy(() -> make(plan(slots), layers())).hasMessageContaining("making a device node");
        assertNothingOpen();

        answer(1);
        List<SlotSource> wrong = slots(new SlotSource.Bind(0, source, true), new SlotSource.Lifetime());
        assertThatThrownBy(() -> make(plan(wrong), layers()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no slot of a launch");
        assertNothingOpen();

        scripted.refuse(2, Errno.EINVAL); // which is read after the answer for the device
        answer(1);
        assertThatThrownBy(() -> make(plan(slots), layers())).hasMessageContaining("root file system");
        assertNothingOpen();
        assertThat(OpenFiles.count(layerFile)).as("the test's own").isEqualTo(3);
    }
}
