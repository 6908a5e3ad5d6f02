import java.io.IOException;
import java.lang.classfile.Attributes;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Instruction;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.TypeKind;
import java.lang.classfile.instruction.BranchInstruction;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.IncrementInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.classfile.instruction.LineNumber;
import java.lang.classfile.instruction.LookupSwitchInstruction;
import java.lang.classfile.instruction.NewReferenceArrayInstruction;
import java.lang.classfile.instruction.OperatorInstruction;
import java.lang.classfile.instruction.ReturnInstruction;
import java.lang.classfile.instruction.StackInstruction;
import java.lang.classfile.instruction.SwitchCase;
import java.lang.classfile.instruction.TableSwitchInstruction;
import java.lang.constant.ClassDesc;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Finds the mistakes that can be made in a class. An instruction is known by its number in the class file.
///
/// Left out is what only the compiler has written, and what no test should hold: lines of a log.
final class Changes {
    private final Subject subject;
    private final Map<String, Change> all = new LinkedHashMap<>();
    private Path file = Path.of("");
    private int index;
    private int line;
    private String method = "";
    private ClassDesc returned = ClassDesc.ofDescriptor("V");

    private Changes(Subject subject) {
        this.subject = subject;
    }

    /// In an order that depends on the class files alone.
    static List<Change> of(Subject subject) throws IOException {
        var changes = new Changes(subject);
        for (Path file : subject.files()) {
            changes.file = file;
            changes.index = 0;
            changes.find(ClassFile.of().parse(file));
        }
        return List.copyOf(changes.all.values());
    }

    private void find(ClassModel model) {
        boolean isEnum = (model.flags().flagsMask() & ClassFile.ACC_ENUM) != 0;
        boolean isRecord = model.findAttribute(Attributes.record()).isPresent();
        for (MethodModel each : model.methods()) {
            method = each.methodName().stringValue();
            returned = each.methodTypeSymbol().returnType();
            boolean made = (each.flags().flagsMask() & ClassFile.ACC_BRIDGE) != 0
                    || isEnum && Set.of("values", "valueOf", "$values").contains(method)
                    || isRecord && Set.of("equals", "hashCode", "toString").contains(method)
                    || method.equals("<clinit>");
            line = 0;
            var elements = new ArrayList<CodeElement>();
            each.code().ifPresent(code -> code.forEach(elements::add));
            for (int i = 0; i < elements.size(); i++) {
                CodeElement element = elements.get(i);
                if (element instanceof LineNumber number) {
                    line = number.line();
                } else if (element instanceof Instruction) {
                    if (!made) {
                        look(element, i == 0 ? null : elements.get(i - 1), i + 1 < elements.size() ? elements.get(i + 1) : null);
                    }
                    index++;
                }
            }
        }
    }

    private void look(CodeElement element, CodeElement before, CodeElement next) {
        switch (element) {
            case BranchInstruction branch when branch.opcode() != Opcode.GOTO && branch.opcode() != Opcode.GOTO_W -> lookAt(branch, before);
            case InvokeInstruction call when !call.name().stringValue().equals("<init>") -> lookAt(call, next);
            case FieldInstruction store when !method.equals("<init>") && (store.opcode() == Opcode.PUTFIELD || store.opcode() == Opcode.PUTSTATIC) ->
                add(Change.Kind.DROP_STORE, 0, store.name().stringValue(), store.name().stringValue() + " is not set");
            case ReturnInstruction value when value.typeKind() != TypeKind.VOID -> lookAtReturn(before);
            case OperatorInstruction operator when Change.other(operator.opcode()) != null ->
                add(Change.Kind.ARITHMETIC, 0, operator.opcode() + "#" + index, operator.opcode().name().toLowerCase() + " becomes "
                        + Change.other(operator.opcode()).name().toLowerCase());
            case IncrementInstruction step -> add(Change.Kind.ARITHMETIC, 0, "step#" + index, "counts the other way");
            case TableSwitchInstruction choice -> lookAt(choice.cases());
            case LookupSwitchInstruction choice -> lookAt(choice.cases());
            case ConstantInstruction constant -> lookAt(constant, before, next);
            default -> {}
        }
    }

    private void lookAt(BranchInstruction branch, CodeElement before) {
        Opcode opcode = branch.opcode();
        if (closes() && (opcode == Opcode.IFNULL || opcode == Opcode.IFNONNULL)) {
            return; // the compiler's own, of a resource
        }
        if (before instanceof InvokeInstruction call && isStringEquals(call) && subject.text(line).contains("switch (")) {
            return; // the compiler's own, behind a comparison of hashes
        }
        boolean single = !subject.text(line).matches(".*(&&|\\|\\||\\?).*");
        String of = single ? opcode.name() : "#" + index;
        add(Change.Kind.TAKE, 0, of, "condition always jumps");
        add(Change.Kind.SKIP, 0, of, "condition never jumps");
        if (Change.boundary(opcode) != null) {
            add(Change.Kind.BOUNDARY, 0, of, "boundary");
        }
    }

    private void lookAt(InvokeInstruction call, CodeElement next) {
        ClassDesc result = call.typeSymbol().returnType();
        boolean drops = next instanceof StackInstruction pop && (pop.opcode() == Opcode.POP || pop.opcode() == Opcode.POP2);
        String callee = call.owner().asSymbol().displayName() + "." + call.name().stringValue();
        boolean compilers = closes() && (callee.equals("Throwable.addSuppressed") || callee.endsWith(".close"));
        if (compilers || callee.equals("Objects.requireNonNull") || callee.startsWith("System$Logger.")) {
            return;
        }
        if (result.descriptorString().equals("V") || drops) {
            add(Change.Kind.DROP_CALL, 0, callee, "no call of " + callee);
        } else if (call.opcode() != Opcode.INVOKESTATIC && result.equals(call.owner().asSymbol())) {
            add(Change.Kind.DROP_CALL, 1, callee, "no call of " + callee);
        }
    }

    private void lookAtReturn(CodeElement before) {
        Object constant = before instanceof ConstantInstruction value ? value.constantValue() : "not one";
        boolean empty = constant instanceof Number number && number.longValue() == 0
                || "".equals(constant)
                || before instanceof ConstantInstruction value && value.opcode() == Opcode.ACONST_NULL
                || before instanceof InvokeInstruction call && call.typeSymbol().parameterCount() == 0
                        && Set.of("of", "empty").contains(call.name().stringValue());
        if (!returned.descriptorString().equals("Z")) {
            if (!empty) {
                add(Change.Kind.RETURN, 0, "nothing", "returns " + (returned.isPrimitive() ? "0" : "nothing"));
            }
            return;
        }
        String text = subject.text(line); // behind a resource the constant is in a variable
        if (!empty && !text.equals("return false;")) {
            add(Change.Kind.RETURN, 0, "false", "returns false");
        }
        if (!Integer.valueOf(1).equals(constant) && !text.equals("return true;")) {
            add(Change.Kind.RETURN, 1, "true", "returns true");
        }
    }

    private void lookAt(List<SwitchCase> cases) {
        for (int i = 0; i < cases.size(); i++) {
            add(Change.Kind.CASE, i, "#" + index, "case " + cases.get(i).caseValue() + " becomes the default");
        }
    }

    private void lookAt(ConstantInstruction constant, CodeElement before, CodeElement next) {
        boolean made = before instanceof StackInstruction copy && copy.opcode() == Opcode.DUP || next instanceof NewReferenceArrayInstruction;
        boolean used = !(next instanceof ReturnInstruction) && !(next instanceof BranchInstruction);
        if (constant.constantValue() instanceof Integer value && !method.equals("<init>") && !made && used) {
            addConstant(value);
        } else if (constant.constantValue() instanceof Long value && value != 0) {
            addConstant(value);
        }
    }

    private void addConstant(long value) {
        addConstant(value, 0);
        boolean mask = (value & (value + 1)) == 0 || Long.bitCount(value) <= Change.MOST_FLAGS;
        if (Long.bitCount(value) > 1 && value > 0 && mask) {
            addConstant(value, 1);
            addConstant(value, 2);
        }
    }

    private void addConstant(long value, int argument) {
        long changed = Change.changed(value, argument);
        add(Change.Kind.CONSTANT, argument, value + "#" + argument, value + " becomes " + changed);
    }

    private void add(Change.Kind kind, int argument, String of, String shown) {
        String key = file + " " + line + " " + kind + " " + argument + " " + of;
        all.computeIfAbsent(key, _ -> new Change(file, method, line, shown, kind, argument, new BitSet())).at().set(index);
    }

    /// The line is one at which the compiler closes resources.
    private boolean closes() {
        String text = subject.text(line);
        return text.startsWith("try (") || text.matches("(try|}|Fd \\w+ = .*\\{|.*\\) \\{)");
    }

    private static boolean isStringEquals(InvokeInstruction call) {
        return call.name().stringValue().equals("equals") && call.owner().asSymbol().displayName().equals("String");
    }
}
