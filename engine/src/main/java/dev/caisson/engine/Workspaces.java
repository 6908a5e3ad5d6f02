package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.linux.FileSystemSpace;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WorkspaceName;
import dev.caisson.spec.WorkspaceSpec;
import dev.caisson.state.HeldDirectory;
import dev.caisson.state.NewShared;
import dev.caisson.state.SharedDirectories;
import dev.caisson.state.SharedKind;
import dev.caisson.state.StateException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// The workspaces of a state directory. Needs no engine; their files are opened by [Engine#files(WorkspaceName)].
///
/// ```java
/// Workspace box = engine.workspaces().create(WorkspaceSpec.named("build").size("256m"));
/// engine.run(ContainerSpec.onHost("sh", "-c", "echo 42 >/work/out").mount(box.at("/work")));
/// byte[] out = engine.files(box.name()).read("/out", Bytes.kibibytes(1));
/// ```
///
/// Failures are [dev.caisson.error.CaissonException]s: WORKSPACE_UNKNOWN, WORKSPACE_EXISTS, WORKSPACE_IN_USE,
/// WORKSPACE_MEDIUM, TOO_MANY_WORKSPACES, STORAGE_FULL, STORAGE_INODES, STORAGE_FAILED.
public final class Workspaces {
    private static final String UNKNOWN = "WORKSPACE_UNKNOWN";

    private final EngineOptions options;
    private final SharedDirectories directory;

    private Workspaces(EngineOptions options) {
        this.options = options;
        this.directory = new SharedDirectories(options.data(), options.state(), SharedKind.WORKSPACE);
    }

    /// Returns those of an engine's directories.
    public static Workspaces of(EngineOptions options) {
        present(options, "options");
        HostAccess.requireNative();
        return Failures.call(() -> {
            HostAccess.requireRoot();
            return new Workspaces(options);
        });
    }

    /// Makes one, empty. It is there until it is removed, also after a restart of the host.
    public Workspace create(WorkspaceSpec spec) {
        present(spec, "spec");
        return Failures.call(() -> Workspace.of(directory.create(new NewShared(
                spec.name(), Optional.of(spec.size()), OptionalLong.of(spec.inodesOrStandard()), Map.of(), false))));
    }

    /// Returns all, by name.
    public List<Workspace> list() {
        return Failures.call(() -> directory.list().stream().map(Workspace::of).toList());
    }

    /// Finds one.
    /// @throws dev.caisson.error.CaissonException WORKSPACE_UNKNOWN
    public Workspace get(String name) {
        WorkspaceName parsed = new WorkspaceName(present(name, "name"));
        return Failures.call(() -> Workspace.of(directory.get(parsed)));
    }

    /// Returns how much of one is used; its file system is mounted for that, where nobody else sees it.
    public WorkspaceUse use(WorkspaceName name) {
        present(name, "name");
        return Failures.call(() -> {
            boolean inUse = isInUse(name, referents());
            try (HeldDirectory held = directory.hold(name)) {
                FileSystemSpace space = held.space();
                return new WorkspaceUse(
                        Bytes.of(space.usedBytes()), space.usedInodes(), Bytes.of(held.onDisk()), inUse);
            }
        });
    }

    /// Returns what each takes from the host's disk.
    List<DiskUse.OfWorkspace> onDisk() {
        Map<WorkspaceName, List<String>> referents = referents();
        var all = new ArrayList<DiskUse.OfWorkspace>();
        for (Workspace workspace : list()) {
            int containers = referents.getOrDefault(workspace.name(), List.of()).size();
            try {
                boolean inUse = isInUse(workspace.name(), referents);
                try (HeldDirectory held = directory.hold(workspace.name())) {
                    all.add(new DiskUse.OfWorkspace(workspace.name(), Bytes.of(held.onDisk()), inUse, containers));
                }
            } catch (StateException e) {
                if (!e.code().equals(UNKNOWN)) { // removed meanwhile
                    throw e;
                }
            }
        }
        return all;
    }

    /// Removes one with all its files.
    /// @throws dev.caisson.error.CaissonException WORKSPACE_IN_USE while a container has it, which may have
    /// ended, or a process works on its files
    public void remove(WorkspaceName name) {
        present(name, "name");
        Failures.run(() -> {
            List<String> containers = referents().getOrDefault(name, List.of());
            if (!containers.isEmpty()) {
                throw new StateException(
                        "WORKSPACE_IN_USE",
                        "the container " + containers.getFirst() + " has the workspace " + name
                                + ": remove the container first");
            }
            directory.remove(name);
        });
    }

    /// Removes all that nothing uses.
    /// @return those that are gone
    public List<Workspace> prune() {
        return Failures.call(() -> {
            Map<WorkspaceName, List<String>> referents = referents();
            var gone = new ArrayList<Workspace>();
            for (Workspace workspace : list()) {
                if (!isInUse(workspace.name(), referents)) {
                    try {
                        directory.remove(workspace.name());
                        gone.add(workspace);
                    } catch (StateException e) {
                        if (!e.code().equals("WORKSPACE_IN_USE") && !e.code().equals(UNKNOWN)) {
                            throw e;
                        }
                    }
                }
            }
            return List.copyOf(gone);
        });
    }

    private boolean isInUse(WorkspaceName name, Map<WorkspaceName, List<String>> referents) {
        return referents.containsKey(name) || directory.isInUse(name);
    }

    /// Containers that are there, by workspace. A monitor holds what its container has; one whose monitor is
    /// gone may be made again of its spec.
    private Map<WorkspaceName, List<String>> referents() {
        var referents = new HashMap<WorkspaceName, List<String>>();
        KeptSpec.each(
                options,
                (entry, spec) -> spec.mounts().forEach(mount -> {
                    if (mount instanceof Mount.Workspace workspace) {
                        referents
                                .computeIfAbsent(workspace.name(), _ -> new ArrayList<>())
                                .add(entry.name().orElse(entry.id().shortForm()));
                    }
                }));
        return referents;
    }

    SharedDirectories directory() {
        return directory;
    }
}
