package dev.caisson.engine;

import dev.caisson.image.Snapshot;
import dev.caisson.spec.ContainerId;

/// A container that waits for work: programs that are run in it, files that are written and read.
///
/// ```java
/// try (Session s = engine.session(ContainerSpec.onHost().memory("256m"))) {
///     s.files().write("/box/a.py", code);
///     ExecResult r = s.exec(Exec.of("python3", "/box/a.py").timeout(Duration.ofSeconds(5)));
///     byte[] out = s.files().read("/box/out.txt", Bytes.mebibytes(1));
/// }
/// ```
///
/// No program of the image keeps it alive. Everything of it is gone when it is closed, when the process
/// that opened it ends, however that comes, and when its lease runs out. Any number of threads may
/// share it.
public interface Session extends AutoCloseable {
    ContainerId id();

    String name();

    /// Runs one program to its end, its output kept, with the variables of the session's spec and
    /// image. An interrupt kills it with all that it started.
    /// @throws dev.caisson.launch.LaunchException if it could not be started
    /// @throws EngineException CONTAINER_NOT_RUNNING once the session has ended
    ExecResult exec(Exec exec) throws InterruptedException;

    /// Like [#exec(Exec)], with streams of the caller's.
    ExecResult exec(Exec exec, Streams streams) throws InterruptedException;

    /// Its files. New ones belong to the spec's user.
    ContainerFiles files();

    /// Takes its files as they are now, to start others from: see [Engine#fork]. It stands still meanwhile,
    /// for no longer than 30 seconds. Volumes, workspaces, secrets and memory are no part of it.
    /// @param name 1 to 128 letters, digits, `_`, `.` or `-`
    /// @throws dev.caisson.error.CaissonException SNAPSHOT_EXISTS, SNAPSHOT_SLOW, TOO_MANY_SNAPSHOTS,
    ///     STORE_FULL
    /// @throws EngineException CONTAINER_NOT_RUNNING once the session has ended
    Snapshot snapshot(String name);

    /// Lets its lease run anew from now; nothing if it has none.
    /// @throws EngineException CONTAINER_NOT_RUNNING once the session has ended
    void renew();

    /// True until it is closed or has ended by itself.
    boolean isRunning();

    /// Ends every process of it and removes everything, which an interrupt does not keep from being done.
    @Override
    void close();
}
