/** {@code tail}: prints the messages of a topic as they come. */
package io.holdfast.tools.tail;
