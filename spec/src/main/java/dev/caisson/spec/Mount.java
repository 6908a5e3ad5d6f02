package dev.caisson.spec;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.image.ImageReference;
import dev.caisson.secret.SecretName;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;

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

    /// Secrets of the store, each a file below `/run/secrets`, in memory that is never swapped.
    /// Read-only, never set-uid, never devices, never executable.
    ///
    /// @param files with a name of its own each
    record Secrets(List<SecretFile> files) implements Mount {
        private static final int MOST = 64;

        /// @throws ArgumentException ARGUMENT_INVALID
        public Secrets {
            files = List.copyOf(present(files, "files"));
            if (files.isEmpty() || files.size() > MOST) {
                throw ArgumentException.invalid(
                        "a container has 1 to " + MOST + " secrets, not " + files.size() + ": give others elsewhere");
            }
            var names = new HashSet<SecretName>();
            var variables = new HashSet<String>();
            for (SecretFile file : files) {
                if (file.asVariable().isPresent()
                        && !variables.add(file.asVariable().get())) {
                    throw ArgumentException.invalid("two secrets are to be the variable "
                            + file.asVariable().get() + ": give one of them another name");
                }
                if (!names.add(file.file())) {
                    throw ArgumentException.invalid(
                            "two secrets have the file " + file.path() + ": give one of them another target");
                }
            }
        }

        @Override
        public InRootPath target() {
            return SecretFile.DIRECTORY;
        }
    }

    /// A directory of the engine's that containers share, with a bound of its own. Never set-uid, never
    /// devices.
    record Workspace(WorkspaceName name, InRootPath target, boolean readOnly) implements Mount {
        public Workspace {
            present(name, "name");
            present(target, "target");
        }
    }

    /// The files of an image of the store, to be read: as a container of the image would find them. Never writable,
    /// never set-uid, never devices.
    ///
    /// @param subpath a directory of the image, which is shown alone; no link leads to it. Empty for all of it
    record ImageFiles(ImageReference image, InRootPath target, Optional<InRootPath> subpath) implements Mount {
        public ImageFiles {
            present(image, "image");
            present(target, "target");
            present(subpath, "subpath");
            subpath = subpath.filter(path -> !path.isRoot());
        }
    }

    /// A volume of the engine's: a directory with a bound of its own that stays when containers end. It
    /// is made if it is not there. Never set-uid, never devices.
    ///
    /// @param name empty for a new one that goes with its container
    /// @param copy an empty volume that nobody uses gets what the image has at the target
    /// @param subpath a directory of the volume, which is shown alone; no link leads to it. Empty for all of it
    /// @param made the bounds and labels of one that is made; its own name is not used
    record Volume(
            Optional<VolumeName> name,
            InRootPath target,
            boolean readOnly,
            boolean copy,
            Optional<InRootPath> subpath,
            VolumeSpec made)
            implements Mount {
        public Volume {
            present(name, "name");
            present(target, "target");
            present(subpath, "subpath");
            present(made, "made");
            made = new VolumeSpec(Optional.empty(), made.size(), made.inodes(), made.labels());
            subpath = subpath.filter(path -> !path.isRoot());
        }

        public Volume(Optional<VolumeName> name, InRootPath target, boolean readOnly, boolean copy) {
            this(name, target, readOnly, copy, Optional.empty(), VolumeSpec.unnamed());
        }

        public Volume name(VolumeName value) {
            return new Volume(Optional.of(present(value, "name")), target, readOnly, copy, subpath, made);
        }

        public Volume readOnly(boolean value) {
            return new Volume(name, target, value, copy, subpath, made);
        }

        public Volume copy(boolean value) {
            return new Volume(name, target, readOnly, value, subpath, made);
        }

        public Volume subpath(InRootPath value) {
            return new Volume(name, target, readOnly, copy, Optional.of(present(value, "subpath")), made);
        }

        /// Gives it the bounds and labels that it is made with; one that is there must have these bounds.
        public Volume made(VolumeSpec value) {
            return new Volume(name, target, readOnly, copy, subpath, value);
        }

        /// Returns a writable mount of a volume.
        /// @param path absolute, in the container
        public static Volume of(String name, String path) {
            return new Volume(Optional.of(new VolumeName(name)), InRootPath.parse(present(path, "path")), false, true);
        }

        /// Returns a mount of a new volume that goes with its container.
        /// @param path absolute, in the container
        public static Volume unnamed(String path) {
            return new Volume(Optional.empty(), InRootPath.parse(present(path, "path")), false, true);
        }
    }
}
