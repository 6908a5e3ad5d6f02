package dev.caisson.engine;

import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.WorkspaceName;
import java.nio.file.Path;

/// An engine whose container and host both use a workspace until somebody ends it.
final class WorkspaceProcess {
    static final String NAME = "killed";

    private WorkspaceProcess() {}

    public static void main(String[] arguments) throws Exception {
        var options = new EngineOptions(Path.of(arguments[0]), Path.of(arguments[1]));
        try (var engine = Engine.open(options);
                var files = engine.files(new WorkspaceName(NAME))) {
            Workspace box = engine.workspaces().get(NAME);
            files.write("/host", new byte[] {1});
            Container container = engine.start(
                    ContainerSpec.onHost("sh", "-c", "while :; do echo x >>/w/log; done")
                            .mount(box.at("/w")),
                    Streams.capture());
            System.out.println(EngineProcess.OPENED);
            container.await();
        }
    }
}
