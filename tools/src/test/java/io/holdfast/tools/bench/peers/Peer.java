package io.holdfast.tools.bench.peers;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A broker in one of its settings.
 *
 * @param name in tables
 * @param promise what its OK is worth
 * @param settings what differs from its defaults
 * @param ok what its OK means, exactly
 * @param client how it is used: its own way of going fast
 * @param batch messages of one publish command; 1 where a command is for one message
 * @param launcher how to start it
 * @param protocol how to talk to it
 */
record Peer(
    String name,
    Promise promise,
    String settings,
    String ok,
    String client,
    int batch,
    Launcher launcher,
    Dialect protocol) {

  /**
   * What to start.
   *
   * @param members the servers: one, or those of a cluster
   * @param helper what must run before and meanwhile, in the first one's environment; empty for
   *     nothing
   */
  record Launch(List<Member> members, List<String> helper) {
    /** One server, and nothing else. */
    static Launch of(List<String> command) {
      return new Launch(List.of(new Member(command, Map.of())), List.of());
    }
  }

  /**
   * A server.
   *
   * @param command in the foreground
   * @param environment in addition to that of these tools
   */
  record Member(List<String> command, Map<String, String> environment) {}

  /** Knows how to start it. */
  interface Launcher {
    /**
     * @param dir an empty directory of its own
     * @param ports free ones; its members are to listen for clients on the first of them, in order
     */
    Launch launch(Path dir, List<Integer> ports) throws IOException;
  }

  /** Makes the client's half. */
  interface Dialect {
    /**
     * @param queue what to publish to and consume from
     * @param prompt whether few messages shall come fast, not many at little cost
     */
    Protocol open(String queue, boolean prompt);
  }

  /** Whether this is what the others are compared with. */
  boolean own() {
    return name.startsWith("Holdfast");
  }
}
