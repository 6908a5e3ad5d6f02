package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import java.nio.file.Path;

/// Something that a container sees at a place of its own choice.
public sealed interface Mount {
    InRootPath target();

    /// A file or directory of the host. What is owned by id 0 on disk is owned by the container's root inside.
    /// Never set-uid, never devices.
    ///
    /// @param source absolute
    /// @param file the source is no directory
    record Bind(Path source, InRootPath target, boolean readOnly, boolean file) implements Mount {
        public Bind {
            present(source, "source");
            present(target, "target");
        }
    }

    /// Memory of a bounded size, charged to the container.
    record Tmpfs(InRootPath target, Bytes size, int mode, boolean readOnly, boolean executable) implements Mount {
        public Tmpfs {
            present(target, "target");
            present(size, "size");
        }
    }

    /// A directory of the engine's that containers share, with a bound of its own. Never set-uid, never devices.
    record Workspace(WorkspaceName name, InRootPath target, boolean readOnly) implements Mount {
        public Workspace {
            present(name, "name");
            present(target, "target");
        }
    }
}
