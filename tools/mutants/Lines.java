import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.CodeTransform;
import java.lang.classfile.MethodModel;
import java.lang.classfile.MethodTransform;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/// Notes to which lines and methods of classes tests come. Classes are given calls of it.
public final class Lines {
    private static final ClassDesc SELF = ClassDesc.of("Lines");
    private static final List<String> PLACES = new ArrayList<>();
    private static final Map<String, Integer> NUMBERS = new HashMap<>();
    private static final int MOST = 1 << 17;
    private static final boolean[] SEEN = new boolean[MOST];
    /// By initializers, which run once in a test class: each of its tests stands on them.
    private static final boolean[] INITIAL = new boolean[MOST];
    private static volatile int initializers;

    private Lines() {}

    /// Called by classes.
    public static void seen(int place) {
        SEEN[place] = true;
        if (initializers > 0) {
            INITIAL[place] = true;
        }
    }

    /// Called by classes at the beginning and the end of an initializer.
    public static void initializes(int step) {
        initializers += step;
    }

    static void forget() {
        Arrays.fill(SEEN, false);
    }

    static void forgetInitial() {
        Arrays.fill(INITIAL, false);
        initializers = 0;
    }

    static Set<String> names() {
        return names(SEEN);
    }

    static Set<String> initialNames() {
        return names(INITIAL);
    }

    private static Set<String> names(boolean[] places) {
        var names = new HashSet<String>();
        for (int i = 0; i < PLACES.size(); i++) {
            if (places[i]) {
                names.add(PLACES.get(i));
            }
        }
        return names;
    }

    /// A class that tells its lines.
    static byte[] observed(Subject subject, Path file) throws IOException {
        return transformed(file, method -> {
            int own = number(subject.place(method.methodName().stringValue()));
            return (code, instruction) -> {
                code.with(instruction);
                if (instruction instanceof LineNumber line) {
                    see(code, number(subject.place(line.line())));
                    see(code, own);
                }
            };
        });
    }

    /// A class that tells only when it is in its initializer.
    static byte[] bounded(Path file) throws IOException {
        return transformed(file, _ -> CodeBuilder::with);
    }

    private static byte[] transformed(Path file, Function<MethodModel, CodeTransform> transform) throws IOException {
        ClassFile context = ClassFile.of();
        return context.transformClass(context.parse(file), (to, element) -> {
            if (!(element instanceof MethodModel method)) {
                to.with(element);
                return;
            }
            CodeTransform all = transform.apply(method);
            if (method.methodName().equalsString("<clinit>")) {
                all = all.andThen(initializer());
            }
            to.transformMethod(method, MethodTransform.transformingCode(all));
        });
    }

    private static CodeTransform initializer() {
        return new CodeTransform() {
            @Override
            public void atStart(CodeBuilder code) {
                step(code, 1);
            }

            @Override
            public void accept(CodeBuilder code, CodeElement element) {
                if (element instanceof ReturnInstruction) {
                    step(code, -1);
                }
                code.with(element);
            }
        };
    }

    private static void step(CodeBuilder code, int step) {
        code.loadConstant(step);
        code.invokestatic(SELF, "initializes", MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
    }

    private static void see(CodeBuilder code, int place) {
        code.loadConstant(place);
        code.invokestatic(SELF, "seen", MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_int));
    }

    private static synchronized int number(String place) {
        return NUMBERS.computeIfAbsent(place, _ -> {
            PLACES.add(place);
            return PLACES.size() - 1;
        });
    }
}
