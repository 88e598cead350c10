/** A broker inside a JUnit 5 test. */
package io.holdfast.junit;
