<?php
// Renders Twig code as Splynx does: {"code": …, "scope": …} on stdin, HTML on stdout. Needs php-cli and php-twig.
require '/usr/share/php/Twig/autoload.php';

$input = json_decode(stream_get_contents(STDIN), true);

class Loader
{
    public function __construct(private array $rows) {}
    public function getInvoices(): array { return $this->rows['invoices']; }
    public function getRequests(): array { return $this->rows['requests']; }
}

class App
{
    public function financeFormat($sum, bool $currency): string
    {
        return number_format((float) $sum, 2, '.', '') . ($currency ? ' USD' : '');
    }
}

$loader = new \Twig\Loader\ArrayLoader(['widget' => $input['code']]);
// Not every Splynx release escapes by default, so nothing here does either.
$twig = new \Twig\Environment($loader, ['autoescape' => false, 'strict_variables' => true]);
echo $twig->render('widget', [
    'loader' => new Loader($input['scope']['loader']),
    'customer' => $input['scope']['customer'],
    'App' => new App(),
]);
