/** {@code pub}: publishes what comes in on standard input or from a file. */
package io.holdfast.tools.pub;
