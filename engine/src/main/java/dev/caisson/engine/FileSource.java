package dev.caisson.engine;

import java.util.function.Supplier;

/// A container whose files are served.
interface FileSource {
    /// Starts a process that serves them.
    ///
    /// @param outside whether it stays out of the container's group, which is frozen
    FileService start(boolean outside);

    /// True if a service inside of the container's group stands still.
    boolean isFrozen();

    /// True if a service that was started earlier still shows what the container's programs see.
    boolean isCurrent();

    /// Returns a container that runs; its files are gone when it ends.
    static FileSource running(ExecTarget target, FileServices services) {
        return new FileSource() {
            @Override
            public FileService start(boolean outside) {
                return orEnded(() -> services.start(target, outside));
            }

            @Override
            public boolean isFrozen() {
                return orEnded(target::isFrozenInside);
            }

            @Override
            public boolean isCurrent() {
                return true;
            }

            // What fails because the container has just ended is reported as that.
            private <T> T orEnded(Supplier<T> work) {
                try {
                    return work.get();
                } catch (RuntimeException e) {
                    target.requireRunning();
                    throw e;
                }
            }
        };
    }
}
