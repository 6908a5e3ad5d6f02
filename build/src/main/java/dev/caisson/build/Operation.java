package dev.caisson.build;

import dev.caisson.containerfile.Place;
import dev.caisson.image.Platform;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The effect of a step on the files of its image.
sealed interface Operation {
    /// Changes the configuration only.
    record Nothing() implements Operation {}

    /// Makes a directory where none is, as `WORKDIR` does.
    record Directory(String path, String user) implements Operation {}

    /// Runs a program in a container.
    ///
    /// @param command program and arguments
    /// @param environment all variables, those of `ARG` included
    /// @param keyEnvironment those that the result is known by: all but the predefined ones of proxies
    /// @param workingDirectory absolute
    record Run(
            List<String> command,
            Map<String, String> environment,
            Map<String, String> keyEnvironment,
            String workingDirectory,
            String user,
            List<RunMount> mounts,
            RunNetwork network,
            Optional<Script> script)
            implements Operation {
        public Run {
            command = List.copyOf(command);
            mounts = List.copyOf(mounts);
        }
    }

    /// A here-document that names its own interpreter; it is shown to the program as a file.
    record Script(String target, String content) {}

    /// The network of a `RUN`.
    enum RunNetwork {
        /// The one that the build was asked for.
        DEFAULT,
        NONE
    }

    /// Copies files into the image.
    ///
    /// @param sources in their order
    /// @param target absolute; a slash at its end says that it is a directory
    /// @param owner `user[:group]`, by name or number; empty for root
    /// @param mode permission bits of files and directories; empty to keep those of the source
    /// @param excludes patterns below each source
    /// @param parents whether the directories of the source's path are kept
    /// @param unpack the archives that are unpacked
    /// @param checksum of what an address gives
    record Copy(
            Origin origin,
            List<Source> sources,
            String target,
            String owner,
            Optional<ModeChange> mode,
            List<String> excludes,
            boolean parents,
            Unpacking unpack,
            Optional<String> checksum,
            boolean keepGit)
            implements Operation {
        public Copy {
            sources = List.copyOf(sources);
            excludes = List.copyOf(excludes);
        }

        /// Returns the one that copies all files of another tree into the same directory.
        Copy all(Place place) {
            String directory = target.endsWith("/") ? target : target + "/";
            return new Copy(
                    origin,
                    List.of(new Source.Pattern("/", place)),
                    directory,
                    owner,
                    mode,
                    List.of(),
                    false,
                    Unpacking.NONE,
                    Optional.empty(),
                    false);
        }
    }

    /// The sources that are unpacked where they are archives.
    enum Unpacking {
        NONE,
        /// Files of the context, as `ADD` does.
        FILES,
        /// Files of the context, and files that addresses give.
        ALL
    }

    /// One thing to copy.
    sealed interface Source {
        /// A path or a pattern below the root of the origin.
        record Pattern(String path, Place place) implements Source {}

        /// A here-document.
        record Inline(String name, String content) implements Source {}

        /// An address of https.
        record Address(String url, Place place) implements Source {}
    }

    /// The tree that something is copied from.
    sealed interface Origin {
        record Context() implements Origin {}

        /// An earlier stage, by its number.
        record Stage(int index) implements Origin {}

        /// An image by name, for a platform.
        record Image(String name, Platform platform, Place place) implements Origin {}
    }
}
