# The names of functions in a backtrace, as profiles and inspections have them.
import gdb
from gdb.FrameDecorator import FrameDecorator


class ShortName(FrameDecorator):
    def function(self):
        function = self.inferior_frame().function()
        symbol = function and function.linkage_name
        return SHORT_NAMES.get(symbol) or super().function()


class ShortNames:
    name = "short names"
    priority = 100
    enabled = True

    def filter(self, frames):
        return map(ShortName, frames)


gdb.frame_filters[ShortNames.name] = ShortNames()
