package dev.caisson.watch;

/// Assembles the two eBPF programs that find denied calls of one pid namespace, bpf(2): at the raw tracepoint sys_enter
/// one that notes each thread which has entered, at sys_exit one that crosses it out again. A filter is asked before
/// sys_enter and one that denies has the call skipped, so a thread that leaves and has not entered was denied; or it
/// was in the call before anybody looked, or is the child that fork(2) has made. What is left goes to a queue,
/// a few of each number until the number's counter is set back.
///
/// The programs themselves may be used under the MIT licence or the GPL: a helper that they need is for such programs
/// alone.
final class DenialProgram extends EbpfAssembler {
    /// Numbers below this have a counter each.
    static final int NUMBERS = 1024;

    /// The counter of all other numbers.
    static final int OTHERS = NUMBERS;

    /// The counter of what is not told, because there was too much of its number or the queue was full. It is never
    /// set back, so that nothing is lost that comes just then.
    static final int LOST = NUMBERS + 1;

    static final int SLOTS = NUMBERS + 2;

    /// Calls of a number that are reported until its counter is set back; more are only counted.
    static final int MOST = 64;

    private static final int MAP_UPDATE = 2;
    private static final int MAP_DELETE = 3;
    private static final int GET_CURRENT_PID = 14;
    private static final int GET_CURRENT_NAME = 16;
    private static final int QUEUE_PUSH = 87;
    private static final int PROBE_READ_USER = 112;

    /// Places in the frame: of a thread, a value, a slot's number, and the event.
    private static final int THREAD = -24;

    private static final int VALUE = -32;
    private static final int SLOT = -36;

    /// Kinds of fork(2), whose child leaves the call with 0: clone, fork, vfork and clone3 of x86_64 and x86.
    private static final int[] X86_FORKS = {56, 57, 58, 435, 2, 120, 190};

    /// clone and clone3, and those of 32-bit programs.
    private static final int[] ARM_FORKS = {220, 435, 2, 120, 190};

    private final DenialEvent.Registers registers;

    private DenialProgram(DenialEvent.Registers registers) {
        this.registers = registers;
    }

    /// Notes who enters.
    /// @param entered the map of threads
    static byte[] enter(int entered, PidNamespace namespace) {
        var program = new DenialProgram(DenialEvent.Registers.ofHost());
        program.inNamespace(namespace);
        program.call(GET_CURRENT_PID);
        program.storeRegister(FRAME, THREAD, 0);
        program.store(FRAME, VALUE, 1);
        program.map(1, entered);
        program.address(2, THREAD);
        program.address(3, VALUE);
        program.constant(4, 0);
        program.call(MAP_UPDATE);
        program.end();
        return program.assemble();
    }

    /// Tells of who leaves and has not entered.
    static byte[] exit(int entered, int counters, int queue, PidNamespace namespace) {
        var program = new DenialProgram(DenialEvent.Registers.ofHost());
        program.move(6, 1);
        program.load(7, 6, 0); // registers
        program.load(8, 6, 8); // result
        program.inNamespace(namespace);
        program.call(GET_CURRENT_PID);
        program.move(9, 0);
        program.storeRegister(FRAME, THREAD, 9);
        program.map(1, entered);
        program.address(2, THREAD);
        program.call(MAP_DELETE);
        program.jumpEqual(0, 0, "end");
        program.event();
        program.notTheChild();
        program.once(counters);
        program.map(1, queue);
        program.address(2, program.frameOfEvent());
        program.constant(3, 0);
        program.call(QUEUE_PUSH);
        program.jumpEqual(0, 0, "end");
        program.label("untold");
        program.slot(counters, LOST, SLOT);
        program.increment();
        program.end();
        return program.assemble();
    }

    private int frameOfEvent() {
        return -(40 + registers.eventSize());
    }

    private void event() {
        int event = frameOfEvent();
        storeRegister(FRAME, event + DenialEvent.THREAD, 9);
        storeRegister(FRAME, event + DenialEvent.RESULT, 8);
        address(1, event + DenialEvent.NAME);
        constant(2, DenialEvent.NAME_SIZE);
        call(GET_CURRENT_NAME);
        read(7, 0, registers.size(), event + DenialEvent.REGISTERS);
        store(FRAME, event + DenialEvent.CODE, 0);
        if (registers.isX86()) {
            load(3, FRAME, event + DenialEvent.REGISTERS + registers.pointer());
            addConstant(3, -DenialEvent.CODE_SIZE);
            address(1, event + DenialEvent.CODE);
            constant(2, DenialEvent.CODE_SIZE);
            call(PROBE_READ_USER);
        }
        loadWord(9, FRAME, event + DenialEvent.REGISTERS + registers.number());
    }

    private void notTheChild() {
        jumpNotEqual(8, 0, "called");
        for (int number : registers.isX86() ? X86_FORKS : ARM_FORKS) {
            jumpEqual(9, number, "end");
        }
        label("called");
    }

    private void once(int counters) {
        move(1, 9);
        constant(2, OTHERS);
        storeWord(FRAME, SLOT, 2);
        jumpNotBelow(1, NUMBERS, "counted");
        storeWord(FRAME, SLOT, 1);
        label("counted");
        slotOfFrame(counters, SLOT);
        load(9, 0, 0);
        increment();
        jumpNotBelow(9, MOST, "untold");
    }
}
