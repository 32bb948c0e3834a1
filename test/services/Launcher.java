import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.elasticsearch.common.logging.LogConfigurator;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.env.Environment;
import org.elasticsearch.node.InternalSettingsPreparer;
import org.elasticsearch.node.Node;
import org.elasticsearch.plugins.PluginsLoader;

/** One Elasticsearch node: Launcher home name setting=value ... It ends when its standard input does. */
public class Launcher {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        String name = args[1];
        Settings.Builder settings = Settings.builder().put("path.home", home.toString());
        for (int i = 2; i < args.length; i++) {
            String[] pair = args[i].split("=", 2);
            settings.put(pair[0], pair[1]);
        }

        // Elasticsearch makes System.out a logger, which may be silent.
        PrintStream out = System.out;
        LogConfigurator.setNodeName(name);
        LogConfigurator.registerErrorListener();
        LogConfigurator.configureESLogging();
        Path config = home.resolve("config");
        Environment environment = InternalSettingsPreparer.prepareEnvironment(settings.build(), Map.of(), config, () -> name);
        LogConfigurator.configure(environment, true);
        PluginsLoader plugins = PluginsLoader.createPluginsLoader(
            PluginsLoader.loadModulesBundles(home.resolve("modules")), Set.of(), Map.of());
        new Node(environment, plugins).start();
        out.println("launcher: ready");

        while (System.in.read() != -1) { }
        Runtime.getRuntime().halt(0);
    }
}
