/**
 * What Mantine must know of the looks; everything else is in `console.css`. Only defaults of
 * components stand here, so that no style has to be written into the page at run time.
 */
import { createTheme, Paper, Tooltip } from '@mantine/core';

/** The console's theme. */
export const theme = createTheme({
  components: {
    Paper: Paper.extend({ defaultProps: { radius: 'lg' } }),
    Tooltip: Tooltip.extend({ defaultProps: { withArrow: true, openDelay: 250 } }),
  },
});
