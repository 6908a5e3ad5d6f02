package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.Bytes;
import dev.caisson.spec.WorkspaceSpec;
import java.io.BufferedReader;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A workspace stays, whole and unused, when the engine is killed whose container writes to it.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class KilledWorkspaceTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("killed-workspace"), OwnDirectories.data("killed-workspace"));

    @Test
    void it_is_free_again_and_holds_what_was_written(@TempDir Path directory) throws Exception {
        Workspaces all = Workspaces.of(OPTIONS);
        Workspace box = all.create(WorkspaceSpec.named(WorkspaceProcess.NAME).size("32m"));
        Process process = new EngineProcess(WorkspaceProcess.class, OPTIONS, directory, List.of()).start();
        try (BufferedReader output = process.inputReader()) {
            assertThat(output.readLine()).startsWith(EngineProcess.OPENED);
            assertThatThrownBy(() -> all.remove(box.name())).hasMessageContaining("is in use");
        } finally {
            process.destroyForcibly();
        }
        process.waitFor();

        try (var next = Engine.open(OPTIONS)) {
            assertThat(Traces.of(OPTIONS).groups()).isEmpty();
            try (ContainerFiles files = next.files(box.name())) {
                assertThat(files.read("/host", Bytes.of(1))).containsExactly(1);
                assertThat(files.list("/")).extracting(FileEntry::name).contains("host");
            }
            next.workspaces().remove(box.name());
        }
        assertThat(all.list()).isEmpty();
        BusyboxEngine.removeTree(OPTIONS.state());
    }
}
