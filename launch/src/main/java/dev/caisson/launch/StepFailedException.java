package dev.caisson.launch;

import dev.caisson.linux.Errno;
import java.util.List;

/// A step that the kernel refused inside the container: which one, in which phase, and with what error number.
public final class StepFailedException extends LaunchException {
    private static final long serialVersionUID = 1L;
    private static final int EXIT_NOT_EXECUTABLE = 126;
    private static final int EXIT_NOT_FOUND = 127;

    private final Phase phase;
    private final int errno;
    private final int exitStatus;

    private StepFailedException(String code, String sentence, Phase phase, int errno, int exitStatus) {
        super(code, sentence);
        this.phase = phase;
        this.errno = errno;
        this.exitStatus = exitStatus;
    }

    /// Makes the error of a program that is not in the container, for tests of services.
    public static StepFailedException programNotFound(String program) {
        return of(execute(program), Errno.ENOENT);
    }

    /// Makes the error of a program that may not be executed, for tests of services.
    public static StepFailedException programNotExecutable(String program) {
        return of(execute(program), Errno.EACCES);
    }

    private static Step.Execute execute(String program) {
        return new Step.Execute(true, false, "", List.of(program), List.of());
    }

    /// @param step the plan's step, from which the sentence is made
    /// @param reported phase in which it failed: a program is looked for before it is executed
    static StepFailedException of(Step step, Phase reported, int errno) {
        return step instanceof Step.Execute execute && reported == Phase.FILTER && errno == Errno.ENOENT
                ? program(
                        "INTERPRETER_NOT_FOUND",
                        execute,
                        "is there, but not what runs it: put the interpreter of its first line (#!), or its dynamic loader,"
                                + " into the image",
                        errno,
                        EXIT_NOT_FOUND)
                : of(step, errno);
    }

    static StepFailedException of(Step step, int errno) {
        String reason = Errno.name(errno);
        return switch (step) {
            case Step _
            when errno == Errno.EMFILE ->
                new StepFailedException(
                        "OPEN_FILES",
                        "the container needs more open files for its start than it may have: raise its limit"
                                + " (--ulimit nofile), and that of the process that starts it (ulimit -n)",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.Execute execute
            when errno == Errno.ENOENT ->
                program(
                        "PROGRAM_NOT_FOUND",
                        execute,
                        "is not in the container: check the name, and PATH, or give its absolute path",
                        errno,
                        EXIT_NOT_FOUND);
            case Step.Execute execute
            when errno == Errno.E2BIG ->
                program(
                        "ARGUMENTS_TOO_LONG",
                        execute,
                        "has more bytes of arguments and variables than the kernel takes (a quarter of its stack limit):"
                                + " pass them in a file, or raise --ulimit stack",
                        errno,
                        EXIT_NOT_EXECUTABLE);
            case Step.Execute execute
            when errno == Errno.EAGAIN ->
                program(
                        "PIDS_TOO_FEW",
                        execute,
                        "could not be given a process of its own: raise --pids-limit to 2 or more, or the"
                                + " limit of processes of whoever runs the engine (ulimit -u)",
                        errno,
                        EXIT_ENGINE);
            case Step.Execute execute
            when errno == Errno.ENOTDIR ->
                program(
                        "PROGRAM_NOT_FOUND",
                        execute,
                        "leads through a file that is no directory",
                        errno,
                        EXIT_NOT_FOUND);
            case Step.Execute execute
            when errno == Errno.EISDIR || errno == Errno.EACCES ->
                program(
                        "PROGRAM_NOT_EXECUTABLE",
                        execute,
                        "is a directory, or the user may not execute it",
                        errno,
                        EXIT_NOT_EXECUTABLE);
            // execveat has no such answer: the program takes its filter right before
            case Step.Execute _ when errno == Errno.ENOTSUPP -> filter(Phase.FILTER, errno);
            case Step.Execute execute
            when errno == Errno.ENOEXEC ->
                program(
                        "PROGRAM_FORMAT",
                        execute,
                        "is no program for this machine: a script needs a first line like #!/bin/sh",
                        errno,
                        EXIT_NOT_EXECUTABLE);
            case Step.Execute execute ->
                program(
                        "PROGRAM_NOT_EXECUTABLE",
                        execute,
                        "could not be run (" + reason + ")",
                        errno,
                        EXIT_NOT_EXECUTABLE);
            case Step.Ready ready ->
                new StepFailedException(
                        "WORKING_DIRECTORY",
                        "the working directory " + ready.workingDirectory() + " cannot be entered by the user ("
                                + reason + "): choose a directory of the image that it may enter, not below /proc",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.MountSlot mount ->
                new StepFailedException(
                        "MOUNT_TARGET",
                        "nothing can be mounted at " + mount.target() + " (" + reason + "): " + targetAdvice(errno),
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.PlaceDevice place ->
                new StepFailedException(
                        "DEVICE_TARGET",
                        "the device " + place.node() + " cannot be placed at " + place.target() + " (" + reason
                                + "): choose another path below /dev",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.MountFileSystem mount ->
                new StepFailedException(
                        "MOUNT_FAILED",
                        mount.fileSystem().kernelName() + " could not be mounted at " + mount.target() + " (" + reason
                                + "): " + targetAdvice(errno),
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.WriteFile write ->
                new StepFailedException(
                        "IMAGE_PATH",
                        write.path() + " could not be written (" + reason + "): " + targetAdvice(errno),
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.MakeDirectory make ->
                new StepFailedException(
                        "IMAGE_PATH",
                        "the directory " + make.path() + " could not be made (" + reason + "): " + targetAdvice(errno),
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.SetSysctl sysctl ->
                new StepFailedException(
                        "SYSCTL_REFUSED",
                        "the kernel refused " + sysctl.name().relative().replace('/', '.') + " (" + reason
                                + "): check the value",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.InstallFilter install -> filter(install.phase(), errno);
            case Step.Netlink netlink ->
                new StepFailedException(
                        "NETWORK_SETUP",
                        "the kernel refused to set up the container's network (netlink " + netlink.protocol() + ", "
                                + reason + "): see what IPv6 and the packet filter of the host allow",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            case Step.SetResourceLimit limit ->
                new StepFailedException(
                        "RLIMIT_REFUSED",
                        "the kernel refused the limit " + limit.limit() + " (" + reason + ")",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
            default ->
                new StepFailedException(
                        "STEP_FAILED",
                        "the kernel refused " + step.getClass().getSimpleName() + " in phase " + step.phase() + " ("
                                + reason + ")",
                        step.phase(),
                        errno,
                        EXIT_ENGINE);
        };
    }

    private static StepFailedException program(
            String code, Step.Execute execute, String what, int errno, int exitStatus) {
        return new StepFailedException(
                code, execute.arguments().getFirst() + " " + what, Phase.READY, errno, exitStatus);
    }

    private static StepFailedException filter(Phase phase, int errno) {
        String advice = errno == Errno.ENOTSUPP
                ? ": the host's memory for compiled filters is used up; raise /proc/sys/net/core/bpf_jit_limit, or end"
                        + " what holds so many filters"
                : "";
        return new StepFailedException(
                "FILTER_REFUSED",
                "the kernel refused the system call filter (" + Errno.name(errno) + ")" + advice,
                phase,
                errno,
                EXIT_ENGINE);
    }

    private static String targetAdvice(int errno) {
        return switch (errno) {
            case Errno.ELOOP -> "the image has a symbolic link in that place, which could lead out of it";
            case Errno.EBUSY ->
                "a symbolic link there leads to the root, /proc, /sys or /dev, which belong to the engine: choose another path";
            case Errno.ENOTDIR -> "the image has a file in that place, or above it: choose another path";
            default -> "see how the image looks in that place";
        };
    }

    public Phase phase() {
        return phase;
    }

    public int errno() {
        return errno;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }

    @Override
    public int httpStatus() {
        return exitStatus == EXIT_ENGINE ? 500 : 400;
    }
}
