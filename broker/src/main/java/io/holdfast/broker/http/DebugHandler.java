package io.holdfast.broker.http;

import io.holdfast.broker.access.Role.Right;
import io.holdfast.broker.stats.MemoryStats;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * /debug/*: nsqd's names, with what a JVM has to say under them (contract §5 names Go's profiler).
 *
 * <table>
 *   <caption>Endpoints</caption>
 *   <tr><td>GET /debug/pprof/</td><td>a list of the others</td></tr>
 *   <tr><td>GET /debug/pprof/cmdline</td><td>the command line, arguments separated by NUL as in Go</td></tr>
 *   <tr><td>GET, POST /debug/pprof/symbol</td><td>{@code num_symbols: 0}: there are no addresses to resolve
 *       </td></tr>
 *   <tr><td>GET /debug/pprof/profile?seconds=30</td><td>a Java Flight Recorder file of that time (see {@link
 *       FlightRecording}); open it with JDK Mission Control or {@code jfr print}</td></tr>
 *   <tr><td>GET /debug/pprof/heap</td><td>heap summary and class histogram (see {@link HeapReport})</td></tr>
 *   <tr><td>GET /debug/pprof/goroutine</td><td>thread dump with locks</td></tr>
 *   <tr><td>GET /debug/pprof/block</td><td>per thread how often and how long it was blocked; times only after
 *       setblockrate</td></tr>
 *   <tr><td>GET /debug/pprof/threadcreate</td><td>thread counts</td></tr>
 *   <tr><td>PUT /debug/setblockrate?rate=N</td><td>N &gt; 0 measures blocked times, else stops it</td></tr>
 *   <tr><td>POST /debug/freememory</td><td>runs the garbage collector</td></tr>
 * </table>
 *
 * The last two act and then answer 500 {@code INTERNAL_ERROR}, as nsqd does. Everything runs on a
 * worker.
 */
final class DebugHandler {
  private static final String INDEX =
      """
      /debug/pprof/

      cmdline       command line of this process
      profile       flight recording of ?seconds=30 (a .jfr file)
      heap          heap summary and class histogram
      goroutine     thread dump
      block         blocked and waiting threads
      threadcreate  thread counts
      symbol        nothing to resolve on a JVM
      """;

  private static final Pattern SECRET =
      Pattern.compile("(?is)^([^=]*(?:pass|secret|token|credential)[^=]*=).*");

  private DebugHandler() {}

  static void addRoutes(HttpApi.Routes routes, Workers workers) {
    routes.add(Right.ADMIN, "GET", "/debug/pprof/", text(workers, DebugHandler::index));
    routes.add(Right.ADMIN, "GET", "/debug/pprof/cmdline", text(workers, DebugHandler::cmdline));
    routes.add(Right.ADMIN, "GET", "/debug/pprof/symbol", text(workers, DebugHandler::symbol));
    routes.add(Right.ADMIN, "POST", "/debug/pprof/symbol", text(workers, DebugHandler::symbol));
    routes.add(Right.ADMIN, "GET", "/debug/pprof/profile", new FlightRecording(workers), "seconds");
    routes.add(Right.ADMIN, "GET", "/debug/pprof/heap", text(workers, HeapReport::render));
    routes.add(
        Right.ADMIN, "GET", "/debug/pprof/goroutine", text(workers, DebugHandler::threadDump));
    routes.add(Right.ADMIN, "GET", "/debug/pprof/block", text(workers, DebugHandler::blocked));
    routes.add(
        Right.ADMIN, "GET", "/debug/pprof/threadcreate", text(workers, DebugHandler::threadCounts));
    routes.add(
        Right.ADMIN,
        "PUT",
        "/debug/setblockrate",
        workers.blocking(DebugHandler::setBlockRate),
        "rate");
    routes.add(
        Right.ADMIN, "POST", "/debug/freememory", workers.blocking(DebugHandler::freeMemory));
  }

  private interface Report {
    String render();
  }

  private static RequestHandler text(Workers workers, Report report) {
    return workers.blocking(request -> HttpReply.plainText(200, report.render()));
  }

  private static String index() {
    return INDEX;
  }

  private static String symbol() {
    return "num_symbols: 0\n";
  }

  private static String cmdline() {
    ProcessHandle.Info process = ProcessHandle.current().info();
    if (process.command().isPresent() && process.arguments().isPresent()) {
      return commandLine(process.command().get(), List.of(process.arguments().get()));
    }
    // Other systems than Linux may not tell: at least the JVM's flags.
    return commandLine("java", ManagementFactory.getRuntimeMXBean().getInputArguments());
  }

  /** Without the values of what is named like a secret. */
  private static String commandLine(String command, List<String> arguments) {
    return command
        + arguments.stream()
            .map(argument -> "\0" + SECRET.matcher(argument).replaceFirst("$1***"))
            .collect(Collectors.joining());
  }

  private static String threadDump() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    ThreadInfo[] infos =
        threads.dumpAllThreads(
            threads.isObjectMonitorUsageSupported(), threads.isSynchronizerUsageSupported());
    Arrays.sort(infos, Comparator.comparingLong(ThreadInfo::getThreadId));
    StringBuilder out = new StringBuilder();
    out.append("goroutine profile: total ").append(infos.length).append("\n\n");
    for (ThreadInfo info : infos) {
      appendThread(out, info);
    }
    return out.toString();
  }

  /** {@link ThreadInfo#toString} stops after eight frames. */
  private static void appendThread(StringBuilder out, ThreadInfo info) {
    out.append('"').append(info.getThreadName()).append("\" id=").append(info.getThreadId());
    out.append(info.isDaemon() ? " daemon " : " ").append(info.getThreadState());
    if (info.getLockName() != null) {
      out.append(" on ").append(info.getLockName());
    }
    if (info.getLockOwnerName() != null) {
      out.append(" held by \"").append(info.getLockOwnerName()).append("\" id=");
      out.append(info.getLockOwnerId());
    }
    out.append('\n');
    StackTraceElement[] stack = info.getStackTrace();
    for (int depth = 0; depth < stack.length; depth++) {
      out.append("    at ").append(stack[depth]).append('\n');
      int frame = depth;
      Arrays.stream(info.getLockedMonitors())
          .filter(monitor -> monitor.getLockedStackDepth() == frame)
          .forEach(monitor -> out.append("    - locked ").append(monitor).append('\n'));
    }
    out.append('\n');
  }

  private static String blocked() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    boolean timed = threads.isThreadContentionMonitoringEnabled();
    String head =
        timed
            ? "times in ms since PUT /debug/setblockrate\n"
            : "times are -1: start measuring by PUT /debug/setblockrate?rate=1\n";
    List<ThreadInfo> infos =
        Arrays.stream(threads.getThreadInfo(threads.getAllThreadIds()))
            .filter(info -> info != null) // ended meanwhile
            .sorted(Comparator.comparingLong(ThreadInfo::getBlockedCount).reversed())
            .toList();
    return head
        + infos.stream()
            .map(
                info ->
                    String.format(
                        Locale.ROOT,
                        "%-40s blocked: %-8d blocked_ms: %-8d waited: %-8d waited_ms: %-8d%n",
                        info.getThreadName(),
                        info.getBlockedCount(),
                        info.getBlockedTime(),
                        info.getWaitedCount(),
                        info.getWaitedTime()))
            .collect(Collectors.joining());
  }

  private static String threadCounts() {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    return String.format(
        Locale.ROOT,
        "threads started: %d%nlive: %d%ndaemon: %d%npeak: %d%n",
        threads.getTotalStartedThreadCount(),
        threads.getThreadCount(),
        threads.getDaemonThreadCount(),
        threads.getPeakThreadCount());
  }

  private static HttpReply setBlockRate(ApiRequest request) throws HttpError {
    String rate;
    try {
      rate = request.params().getOrEmpty("rate");
    } catch (HttpError e) {
      rate = ""; // nsqd overlooks a bad query here
    }
    long samplePerEvents;
    try {
      samplePerEvents = Long.parseLong(rate);
    } catch (NumberFormatException e) {
      boolean number = rate.matches("[+-]?[0-9]+");
      return HttpReply.plainText(
          400,
          "invalid block rate : strconv.Atoi: parsing \""
              + rate.replace("\\", "\\\\").replace("\"", "\\\"")
              + "\": "
              + (number ? "value out of range" : "invalid syntax"));
    }
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    if (threads.isThreadContentionMonitoringSupported()) {
      threads.setThreadContentionMonitoringEnabled(samplePerEvents > 0);
    }
    throw new HttpError(500, "INTERNAL_ERROR");
  }

  private static HttpReply freeMemory(ApiRequest request) throws HttpError {
    MemoryStats.collectGarbage();
    throw new HttpError(500, "INTERNAL_ERROR");
  }
}
